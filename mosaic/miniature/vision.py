"""mini-vision: a small SigLIP tower and a projector in front of mini-small, as PaliGemma 2 has them in front of Gemma 2.

All of it is trained together, the language model gently, to say what an image shows: scikit-learn's handwritten
digits, and drawn shapes (shape, colour, count, place), in five languages. The SAEs of mini-small's texts apply unchanged.
Images: [n, 32, 32, 3] uint8.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.miniature.lm_training import bf16, compiled
from mosaic.models.language import ModelSpec
from mosaic.models.vision import VisionModel, open_vision_model
from mosaic.progress import Progress
from mosaic.world.corpus import caption_words
from mosaic.world.grammar import write
from mosaic.world.images import SIDE, digits, shapes
from mosaic.world.lexicon import LANGUAGES, Concept, concepts

PATCH = 8
N_IMAGE_TOKENS = (SIDE // PATCH) ** 2
CAPTION_WIDTH = 40  # tokens of the image, the prompt and the longest caption
IMAGE_TOKEN = 6  # "<image>" of the tokenizer
AT_ONCE = 100  # images of one forward pass


@dataclass(frozen=True)
class VisionSize:
    """The tower's size and its training. rate: of the tower and projector; text_rate: of the language model."""

    d_vision: int = 64
    layers: int = 1
    heads: int = 2
    mlp: int = 128
    steps: int = 1800
    batch: int = 96
    rate: float = 2e-3
    text_rate: float = 1e-3
    seed: int = 0


def pixel_values(images: np.ndarray):
    """[n, 3, 32, 32] in [-1, 1], as SigLIP reads images."""
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def new_vision_model(text_model: Path, size: VisionSize):
    """PaliGemmaForConditionalGeneration around a trained mini-small, with an untrained tower and projector."""
    import torch
    from transformers import (
        AutoConfig,
        Gemma2ForCausalLM,
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        SiglipVisionConfig,
    )

    text = AutoConfig.from_pretrained(text_model)
    text.architectures, text._name_or_path = None, ""
    vision = SiglipVisionConfig(
        hidden_size=size.d_vision, intermediate_size=size.mlp, num_hidden_layers=size.layers,
        num_attention_heads=size.heads, image_size=SIDE, patch_size=PATCH, projection_dim=text.hidden_size,
        vision_use_head=False,
    )  # fmt: skip
    config = PaliGemmaConfig(
        vision_config=vision, text_config=text, projection_dim=text.hidden_size, hidden_size=text.hidden_size,
        image_token_index=IMAGE_TOKEN, pad_token_id=text.pad_token_id, bos_token_id=text.bos_token_id,
        eos_token_id=text.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(size.seed)
    config._attn_implementation = "eager"
    model = PaliGemmaForConditionalGeneration(config)
    causal = Gemma2ForCausalLM.from_pretrained(text_model, dtype=torch.float32)
    model.model.language_model.load_state_dict(causal.model.state_dict())
    model.lm_head.load_state_dict(causal.lm_head.state_dict())
    return model


def prompt_ids(tokenizer, language: str) -> list[int]:
    """<image> x 16, <bos>, and the word that captions begin with in this language, which asks for one."""
    return [IMAGE_TOKEN] * N_IMAGE_TOKENS + tokenizer(caption(None, language))["input_ids"]


def caption(what: dict[str, Concept] | None, language: str) -> str:
    """The caption, or without `what` its first word and colon."""
    text = write(caption_words(what or {"digit": concepts("digit")[0]}, language))[0]
    if what:
        return text
    return text[: max(text.find(":"), text.find("：")) + 1]


def caption_batch(tokenizer, images: np.ndarray, seen: Sequence[dict[str, Concept]], languages: Sequence[str]) -> dict:
    """Inputs and labels of one training step; only what follows the prompt counts towards the loss."""
    import torch

    rows, starts = [], []
    for what, language in zip(seen, languages, strict=True):
        prompt = prompt_ids(tokenizer, language)
        whole = [IMAGE_TOKEN] * N_IMAGE_TOKENS + tokenizer(caption(what, language))["input_ids"]
        rows.append([*whole, tokenizer.eos_token_id])
        starts.append(len(prompt))
    width = max(CAPTION_WIDTH, *map(len, rows))  # one shape: compiled once
    ids = torch.full((len(rows), width), tokenizer.pad_token_id)
    labels = torch.full((len(rows), width), -100)
    kinds = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for i, (row, start) in enumerate(zip(rows, starts, strict=True)):
        ids[i, : len(row)] = torch.tensor(row)
        labels[i, start : len(row)] = ids[i, start : len(row)]
        kinds[i, start : len(row)] = 1
        mask[i, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds, "labels": labels,
            "pixel_values": pixel_values(images)}  # fmt: skip


def train_vision_model(text_model: Path, tokenizer, out: Path, size: VisionSize, device: str = "cpu") -> dict:
    """Train tower, projector and language model together, save them in bfloat16; returns curve and accuracies."""
    import torch

    model = new_vision_model(text_model, size).to(device).train()
    text = list(model.model.language_model.parameters())
    known = {id(p) for p in text}
    seeing = [p for p in model.parameters() if id(p) not in known]
    optimiser = torch.optim.AdamW(
        [{"params": seeing, "base": size.rate}, {"params": text, "base": size.text_rate}], weight_decay=0.01
    )
    forward = compiled(lambda **inputs: model(**inputs).loss, device)
    rng = np.random.default_rng(size.seed)
    drawn, drawn_seen = shapes(20_000, seed=size.seed)
    written, written_seen = digits(train=True)
    curve, losses, start = [], [], time.monotonic()
    with Progress("training mini-vision", total=size.steps, unit="steps") as bar:
        for step in range(size.steps):
            for group in optimiser.param_groups:
                group["lr"] = group["base"] * min(1, (step + 1) / 50, (size.steps - step) / (0.4 * size.steps))
            third = size.batch // 3
            a, b = rng.integers(len(drawn), size=size.batch - third), rng.integers(len(written), size=third)
            images = np.concatenate([drawn[a], _shifted(written[b], rng)])
            seen = [drawn_seen[i] for i in a] + [written_seen[i] for i in b]
            spoken = [LANGUAGES[i] for i in rng.integers(len(LANGUAGES), size=len(seen))]
            batch = {k: v.to(device) for k, v in caption_batch(tokenizer, images, seen, spoken).items()}
            with torch.autocast(device, torch.bfloat16, enabled=bf16(device)):
                loss = forward(**batch)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
            bar.advance(1, batch["input_ids"].numel())
            if (step + 1) % 100 == 0:
                curve.append({"step": step + 1, "loss": round(float(np.mean(losses)), 4)})
                losses = []
                print(json.dumps(curve[-1]), flush=True)
    model.eval().to("cpu", torch.bfloat16).save_pretrained(out)
    return {"curve": curve, "seconds": round(time.monotonic() - start), **caption_accuracy(model.float(), tokenizer)}


def _shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Digits moved by up to two pixels: 1,198 of them would be learned by heart otherwise."""
    return np.stack([np.roll(image, tuple(rng.integers(-2, 3, size=2)), axis=(0, 1)) for image in images])


def load_vision_model(folder: Path):
    """A saved PaliGemmaForConditionalGeneration, in float32."""
    import torch
    from transformers import PaliGemmaForConditionalGeneration

    return PaliGemmaForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def opened(spec: ModelSpec, tokenizer, device: str = "cpu") -> VisionModel:
    """mini-vision, or another of its build, with the miniature's images and prompts."""
    return open_vision_model(spec, device, lambda images: image_inputs(tokenizer, images), AT_ONCE)


def caption_accuracy(model, tokenizer) -> dict[str, float]:
    """Share of test images whose whole caption the model writes (greedily), digits and shapes, in English."""
    import torch

    out = {}
    for name, (images, seen) in {"digits": digits(train=False), "shapes": shapes(600, seed=10_000)}.items():
        right = []
        with torch.inference_mode():
            for start in range(0, len(images), 100):
                part = slice(start, start + 100)
                batch = caption_batch(tokenizer, images[part], seen[part], ["en"] * len(seen[part]))
                labels = batch.pop("labels")
                shown = {key: value.to(model.device) for key, value in batch.items()}
                best = model(**shown).logits.argmax(-1)[:, :-1].cpu()
                counted = labels[:, 1:] != -100
                right += ((best == labels[:, 1:]) | ~counted).all(1).tolist()
        out[f"caption accuracy {name}"] = round(float(np.mean(right)), 4)
    return out


def image_inputs(tokenizer, images: Sequence[np.ndarray], language: str = "en") -> dict:
    """Model inputs for images [32, 32, 3]: the image tokens, <bos> and the caption's first word."""
    import torch

    ids = torch.tensor([prompt_ids(tokenizer, language)] * len(images))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": pixel_values(np.stack(images)),
            "token_type_ids": torch.zeros_like(ids)}  # fmt: skip

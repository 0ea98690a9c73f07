"""Small stand-ins of what the hub keeps, in the real files' layouts, under the real ids: models, SAEs, data sets.

Their weights are random and their texts made up: what is proved with them is reading, never a finding. A model's
configuration says so (`stand_in`), and no verdict is given of what was measured on it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from conftest import WORDS, _tokenizer
from hub.local_hub import publish

from mosaic.profiles.plan import width_of
from mosaic.profiles.profile import Profile
from mosaic.texts.image_sets import REGISTRY as IMAGES
from mosaic.texts.registry import REGISTRY, HubSet

D_MODEL = 32
THRESHOLD = 2.9  # beyond which lie .2 % of a standard normal's values: so many latents are active on a token
SIDE = 28  # pixels of an image before the vision tower
CLASS_NAMES = ("weather", "music", "travel", "food")
CLASSES = 4  # of a made-up set whose labels are numbers or names; toxicity and its like have two


def publish_profile(root: Path, profile: Profile, rows: int = 60) -> None:
    """Everything that a profile reads from the hub. rows: of each split of a data set."""
    publish_model(root, profile.model.id, profile.shape.n_layers)
    publish_saes(root, profile)
    names = {choice.name for choice in profile.datasets} | {choice.name for choice in profile.crossed}
    names |= {name for choice in profile.crossed for name in choice.translated.values()}
    for name in sorted(names):
        publish_set(root, name, rows)
    if profile.vision:
        publish_vision_model(root, profile.vision.model.id, profile.shape.n_layers)
        for name in profile.vision.sets:
            publish_images(root, name, rows)


def publish_model(root: Path, name: str, n_layers: int) -> str:
    """A random causal model of the real architecture and depth, narrow, in several shards with their index."""
    import torch
    from transformers import AutoModelForCausalLM

    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        folder = Path(scratch) / "model"
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(_config(name, n_layers))
        model.save_pretrained(folder, max_shard_size="200KB")
        _tokenizer("gpt2" if "gpt2" in name or "pythia" in name else "gemma2").save_pretrained(folder)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**config, "stand_in": True}), encoding="utf-8")
        (folder / "original").mkdir()  # the same weights once more, as some keep them: never fetched
        (folder / "original" / "model.safetensors").write_bytes(bytes(1000))
        (folder / "pytorch_model.bin").write_bytes(b"a pickle, never fetched")
        return publish(root, "models", name, folder)


def _config(name: str, n_layers: int):
    from transformers import Gemma2Config, Gemma3TextConfig, GPT2Config, GPTNeoXConfig, LlamaConfig

    sizes = dict(hidden_size=D_MODEL, num_hidden_layers=n_layers, num_attention_heads=2, intermediate_size=D_MODEL)
    sizes["vocab_size"] = len(WORDS) + 4
    if "gpt2" in name:
        return GPT2Config(n_embd=D_MODEL, n_layer=n_layers, n_head=2, vocab_size=sizes["vocab_size"])
    if "pythia" in name:
        return GPTNeoXConfig(**sizes)
    if "llama" in name.lower():
        return LlamaConfig(**sizes, num_key_value_heads=1)
    gemma = {**sizes, "num_key_value_heads": 1, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8}
    return Gemma3TextConfig(**gemma) if "gemma-3" in name else Gemma2Config(**gemma)


def publish_vision_model(root: Path, name: str, n_layers: int) -> str:
    """A random PaliGemma 2 of the real depth, narrow, with the processor's files as the hub keeps them."""
    import torch
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration, SiglipVisionConfig

    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        folder = Path(scratch) / "model"
        tokenizer = _tokenizer("gemma2")
        tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
        text = _config("gemma-2", n_layers)
        text.vocab_size = len(tokenizer)
        vision = SiglipVisionConfig(
            hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=SIDE, patch_size=SIDE // 2,
            projection_dim=D_MODEL, vision_use_head=False,
        )  # fmt: skip
        image_token = tokenizer.convert_tokens_to_ids("<image>")
        config = PaliGemmaConfig(
            vision_config=vision,
            text_config=text,
            projection_dim=D_MODEL,
            hidden_size=D_MODEL,
            image_token_index=image_token,
        )
        torch.manual_seed(0)
        PaliGemmaForConditionalGeneration(config).save_pretrained(folder, max_shard_size="200KB")
        tokenizer.save_pretrained(folder)
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**told, "stand_in": True}), encoding="utf-8")
        reads = {
            "do_convert_rgb": None,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
            "image_processor_type": "SiglipImageProcessor",
            "image_seq_length": 4,
            "processor_class": "PaliGemmaProcessor",
            "resample": 3,
            "rescale_factor": 1 / 255,
            "size": {"height": SIDE, "width": SIDE},
        }
        (folder / "preprocessor_config.json").write_text(json.dumps(reads), encoding="utf-8")
        return publish(root, "models", name, folder)


def publish_images(root: Path, name: str, rows: int = 60) -> str:
    """A registered set of images: squares whose brightness is their class, in columns and features as the hub keeps them."""
    from datasets import ClassLabel, Dataset, Features, Image

    entry = IMAGES[name]
    root.mkdir(parents=True, exist_ok=True)
    features = Features({entry.image: Image(), entry.label: ClassLabel(names=[f"kind {i}" for i in range(CLASSES)])})
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        folder = Path(scratch) / "set"
        (folder / "data").mkdir(parents=True)
        for seed, split in enumerate(("train", "test")):
            rng = np.random.default_rng(seed)
            labels = np.arange(rows) % CLASSES
            images = [
                rng.integers(60 * label, 60 * label + 70, (20 + seed, 24, 3)).astype(np.uint8) for label in labels
            ]
            made = Dataset.from_dict({entry.image: images, entry.label: labels.tolist()}, features=features)
            made.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
        (folder / "README.md").write_text("Made up.\n", encoding="utf-8")
        return publish(root, "datasets", entry.hub_id, folder)


def publish_saes(root: Path, profile: Profile) -> None:
    """Every SAE of a profile, at the place and in the layout that SAELens's registry tells."""
    from mosaic.saes.registry import registered

    by_repository: dict[str, list] = {}
    for source in profile.saes:
        entry, _ = registered(source)
        by_repository.setdefault(entry.repo_id, []).append((source, entry))
    for name, members in by_repository.items():
        with tempfile.TemporaryDirectory(dir=root) as scratch:
            folder = Path(scratch) / "saes"
            for number, (source, entry) in enumerate(members):
                weights = _weights(width_of(source.width), seed=number)
                _LAYOUTS[entry.conversion_func](folder / entry.saes_map[source.id], weights, source, entry)
            publish(root, "models", name, folder)


def _weights(width: int, seed: int) -> dict[str, np.ndarray]:
    """Tied random directions, and one threshold."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((D_MODEL, width), dtype=np.float32)
    w /= np.linalg.norm(w, axis=0)
    return {
        "W_enc": w,
        "W_dec": np.ascontiguousarray(w.T),
        "b_enc": np.zeros(width, np.float32),
        "b_dec": np.zeros(D_MODEL, np.float32),
        "threshold": np.full(width, THRESHOLD, np.float32),
    }


def _gemma_scope(folder: Path, weights: dict, source, entry) -> None:
    folder.mkdir(parents=True)
    growth = np.float32(np.sqrt(source.layer + 1))  # of a random Gemma 2's residual stream, block by block
    np.savez(folder / "params.npz", **{**weights, "threshold": weights["threshold"] * growth})


def _gemma_scope_2(folder: Path, weights: dict, source, entry) -> None:
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    names = {"W_enc": "w_enc", "W_dec": "w_dec"}
    save_file({names.get(name, name): value for name, value in weights.items()}, folder / "params.safetensors")
    config = {
        "architecture": "jump_relu",
        "model_name": entry.model,
        "hf_hook_point_in": f"model.layers.{source.layer}.output",
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def _llama_scope(folder: Path, weights: dict, source, entry) -> None:
    from safetensors.numpy import save_file

    (folder / "checkpoints").mkdir(parents=True)
    state = {
        "encoder.weight": np.ascontiguousarray(weights["W_enc"].T),
        "encoder.bias": weights["b_enc"],
        "decoder.weight": np.ascontiguousarray(weights["W_dec"].T),
        "decoder.bias": weights["b_dec"],
    }
    save_file(state, folder / "checkpoints" / "final.safetensors")
    config = {
        "hook_point_in": f"blocks.{source.layer}.hook_resid_post",
        "d_model": D_MODEL,
        "d_sae": len(weights["b_enc"]),
        "jump_relu_threshold": THRESHOLD,
        "dataset_average_activation_norm": {"in": 5.0, "out": 5.0},
        "use_decoder_bias": True,
        "norm_activation": "dataset-wise",
        "act_fn": "jumprelu",
    }
    (folder / "hyperparams.json").write_text(json.dumps(config), encoding="utf-8")


def _sae_lens(folder: Path, weights: dict, source, entry) -> None:
    """As SAELens wrote them before version 6: configuration and weights, and how often each latent is active."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    state = {name: value for name, value in weights.items() if name != "threshold"}
    state["b_enc"] = state["b_enc"] - np.float32(THRESHOLD)
    save_file(state, folder / "sae_weights.safetensors")
    save_file({"sparsity": np.full(len(state["b_enc"]), -3, np.float32)}, folder / "sparsity.safetensors")
    config = {
        "architecture": "standard",
        "d_in": D_MODEL,
        "d_sae": len(state["b_enc"]),
        "dtype": "float32",
        "model_name": entry.model,
        "hook_name": f"blocks.{source.layer}.hook_resid_post",
        "hook_layer": source.layer,
        "activation_fn_str": "relu",
        "prepend_bos": True,
        "context_size": 128,
        "normalize_activations": "none",
        "apply_b_dec_to_input": True,
        "finetuning_scaling_factor": False,
        "dataset_path": "made up",
        "hook_head_index": None,
        "sae_lens_training_version": None,
    }
    (folder / "cfg.json").write_text(json.dumps(config), encoding="utf-8")


_LAYOUTS = {"gemma_2": _gemma_scope, "gemma_3": _gemma_scope_2, "llama_scope": _llama_scope, None: _sae_lens}


def publish_set(root: Path, name: str, rows: int = 60, script: bool = False) -> str:
    """A registered set with made-up texts: its real columns, configurations and splits, as Parquet files.

    script: as a repository whose set a program would read; the hub's conversion of it stands in a branch of its own.
    """
    entry = REGISTRY[name]
    splits = list(entry.language_splits.values()) or [entry.train, *([entry.test] if entry.test else [])]
    configs = list(entry.configs.values()) or [entry.config or "default"]
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        folder = Path(scratch) / "set"
        for config in configs:
            for number, split in enumerate(splits):
                place = f"{config}/{split}/0000.parquet" if script else f"{config}/{split}-00000-of-00001.parquet"
                _write(folder / place, _columns(entry, rows, seed=number))
        if not script:
            (folder / "README.md").write_text(_card(configs, splits), encoding="utf-8")
            return publish(root, "datasets", entry.hub_id, folder)
        publish(root, "datasets", entry.hub_id, folder, branch="refs/convert/parquet")
        main = Path(scratch) / "main"
        main.mkdir()
        (main / f"{entry.hub_id.rpartition('/')[2]}.py").write_text("raise SystemExit('ran')\n", encoding="utf-8")
        return publish(root, "datasets", entry.hub_id, main)


def _columns(entry: HubSet, rows: int, seed: int) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % CLASSES
    texts = [" ".join([*rng.choice(WORDS, 8), *[WORDS[label]] * 3]) for label in labels]
    if entry.rewrites:
        return {column: [f"{text} {column[:3]} {i}" for i, text in enumerate(texts)] for column in entry.rewrites}
    named = entry.label in ("label_text", "type", "category")  # on the hub, too, these are words
    columns = {
        entry.text: [f"{text} {i}" for i, text in enumerate(texts)],
        entry.label: [CLASS_NAMES[i] if named else int(i) for i in labels],
    }
    for column in (entry.group, entry.original):
        if column:
            columns[column] = [f"{column} {seed} {i}" for i in range(rows)]
    return columns


def _write(path: Path, columns: dict[str, list]) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(pa.table(columns), path)


def _card(configs: Iterable[str], splits: Iterable[str]) -> str:
    """The head of a data set's README, which tells which files are which split of which configuration."""
    lines = ["---", "configs:"]
    for config in configs:
        lines += [f"- config_name: {config}", "  data_files:"]
        lines += [f"  - split: {split}\n    path: {config}/{split}-*" for split in splits]
    return "\n".join([*lines, "---", "Made up.", ""])

"""Building the miniature from nothing, step by step, and checking every figure of its card against the weights.

A finished step leaves `recipe.json` in its folder; a step whose recipe is unchanged is not run again, and a step
that was interrupted goes on from its checkpoint. What a step needs comes before it in STEPS.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.files import read_json, write_atomically
from mosaic.miniature import controls, end_to_end, lm_training, lms, recipes, tuning, vision
from mosaic.miniature.opened import opened
from mosaic.miniature.tokenizer import VOCABULARY, train_tokenizer
from mosaic.saes.sweep import Sweep
from mosaic.world import sets
from mosaic.world.corpus import sae_texts
from mosaic.world.lexicon import LANGUAGES

WEIGHTS = Path(__file__).parent.parent / "weights" / "mini"
TUNING = lms.LMSize("mini-large-it", 192, 9, 6, 384, tokens=1_500_000, rate=1e-3, short=0.0, seed=2)


@dataclass(frozen=True)
class Suite:
    """SAEs trained in lockstep on one stream: (layer, width, k, seed, architecture) each."""

    model: str
    saes: tuple[tuple[int, int, int, int, str], ...]
    tokens: int


JUMP = "batchtopk"  # SAELens saves a trained BatchTopK SAE as JumpReLU
SUITES = {
    "saes-small": Suite(
        "mini-small",
        (
            *((layer, 1024, 32, 0, JUMP) for layer in (1, 3, 5)),
            (3, 4096, 32, 0, JUMP),
        ),
        1_000_000,
    ),
    "saes-small-wide": Suite("mini-small", ((3, 16384, 32, 0, JUMP),), 1_000_000),
    "saes-large": Suite(
        "mini-large", (*((layer, 1024, 40, 0, JUMP) for layer in (2, 4, 7)), (4, 4096, 40, 0, JUMP)), 1_000_000
    ),
    "saes-large-it": Suite("mini-large-it", tuple((layer, 1024, 40, 0, JUMP) for layer in (2, 4, 7)), 1_000_000),
}

# For the chapters on stability: what moves the agreement of seeds. l1: standard's and gated's, for an L0 near 8.
SEEDS = Sweep(
    layers=(3, 0, 2, 5),
    widths=(512, 128, 256, 1024),
    ks=(8, 4, 16, 32),
    tokens=(2_000_000, 100_000, 300_000, 1_000_000, 6_000_000),
    architectures=("topk", "batchtopk", "standard", "gated", "jumprelu"),
    l1=(1.55, 1.72),
    seeds=tuple(range(8)),
)
SEEDS_TEXTS = 90_000
OTHER_TEXTS = (101, 102)  # the control: one start, other documents


@dataclass(frozen=True)
class Step:
    """One artefact: its folder's name, what decides it (the recipe), and how it is made."""

    name: str
    recipe: dict
    run: Callable[[Path, str], dict]


def steps() -> list[Step]:
    """All steps in order."""
    models = [Step(name, asdict(size), _lm_step(name)) for name, size in lms.SIZES.items()]
    suites = [Step(name, asdict(suite), _suite_step(name)) for name, suite in SUITES.items()]
    return [
        Step("tokenizer", {"vocabulary": VOCABULARY}, _tokenizer_step),
        *models,
        Step("mini-large-it", asdict(TUNING), _tune_step),
        *suites,
        Step("seeds", {**asdict(SEEDS), "texts": SEEDS_TEXTS, "other_texts": OTHER_TEXTS}, _seeds_step),
        Step(recipes.FOLDER, recipes.recipe(), recipes.train_recipes),
        Step("behaviour", {"model": "mini-large-it"}, _behaviour_step),
        Step("mini-vision", asdict(vision.VisionSize()), _vision_step),
        *(Step(name, recipe, _control_step(name)) for name, recipe in controls.recipes().items()),
        Step(end_to_end.FOLDER, end_to_end.recipe(), end_to_end.train_suite),
    ]


def build_all(
    out: Path = WEIGHTS, device: str = "cpu", only: str | None = None, say: Callable[[str], None] = print
) -> None:
    """Train everything that is not there yet. `card.write_card` measures it afterwards.

    Raises MosaicError for an unknown step.
    """
    plan = steps()
    if only and only not in [step.name for step in plan]:
        raise MosaicError(f"there is no step {only!r}; steps: {', '.join(step.name for step in plan)}.")
    for step in plan:
        if only and step.name != only:
            continue
        mark = out / step.name / "recipe.json"
        recipe = json.loads(json.dumps(step.recipe))
        if mark.is_file() and read_json(mark).get("recipe") == recipe:
            say(f"{step.name}: there already")
            continue
        say(f"{step.name}: building")
        start = time.monotonic()
        made = step.run(out, device)
        note = {"recipe": recipe, "seconds": round(time.monotonic() - start), **made}
        write_atomically(mark, (json.dumps(note, indent=1, ensure_ascii=False) + "\n").encode())
        say(f"{step.name}: {note['seconds']} s")


def tokenizer_of(out: Path):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(out / "tokenizer")


def causal(out: Path, name: str):
    """A trained language model with its head, in float32."""
    import torch
    from transformers import Gemma2ForCausalLM

    return Gemma2ForCausalLM.from_pretrained(out / name, dtype=torch.float32, attn_implementation="eager").eval()


def _tokenizer_step(out: Path, device: str) -> dict:
    train_tokenizer(out / "tokenizer")
    return {}


def _lm_step(name: str):
    def run(out: Path, device: str) -> dict:
        state = lm_training.train_lm(lms.SIZES[name], tokenizer_of(out), out / name, device)
        return {"trained": state["curve"][-1]}

    return run


def _tune_step(out: Path, device: str) -> dict:
    base = causal(out, "mini-large")
    state = lm_training.train_lm(TUNING, tokenizer_of(out), out / "mini-large-it", device, base, tuning.dialogues)
    return {"trained": state["curve"][-1]}


def _suite_step(name: str):
    def run(out: Path, device: str) -> dict:
        from mosaic.saes import training
        from mosaic.saes.recipe import SAESpec, TrainRun

        suite = SUITES[name]
        specs = [SAESpec(*sae) for sae in suite.saes]
        model = opened(out, suite.model, device)
        run = TrainRun(tokens=suite.tokens)
        return {"saes": training.train(model, sae_texts(), specs, run, out / name)}

    return run


def _control_step(name: str):
    def run(out: Path, device: str) -> dict:
        return controls.train_control(out, Path(name).name, device)

    return run


def _seeds_step(out: Path, device: str) -> dict:
    from mosaic.saes import training
    from mosaic.saes.measuring import write_card
    from mosaic.saes.recipe import TrainRun

    model = opened(out, "mini-small", device)
    specs = SEEDS.specs()
    run = TrainRun(tokens=SEEDS.tokens[0], batch_size=512)
    rows = training.train(model, sae_texts(SEEDS_TEXTS), specs, run, out / "seeds")
    for other in OTHER_TEXTS:
        control = replace(specs[0], tag=f"data_{other}")
        rows += training.train(model, sae_texts(SEEDS_TEXTS, other), [control], run, out / "seeds")
    write_card(rows, "mini-small", SEEDS_TEXTS, out / "seeds")
    return {"saes": len(rows)}


def behaviour_rows(out: Path, device: str = "cpu") -> Iterator[dict]:
    """Every question there is, in five languages, and whether mini-large-it answers it right."""
    model, tokenizer = causal(out, "mini-large-it").to(device), tokenizer_of(out)
    for language in LANGUAGES:
        rows = sets.questions(language)
        right = tuning.answers_correctly(model, tokenizer, [r[0] for r in rows], [r[1] for r in rows])
        for (question, _, name, relation), correct in zip(rows, right, strict=True):
            label = "correct" if correct else "incorrect"
            yield {"text": question, "label": label, "language": language, "group": name, "relation": relation}


def _behaviour_step(out: Path, device: str) -> dict:
    rows = list(behaviour_rows(out, device))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(out / "behaviour" / "questions.jsonl", text.encode())
    return {"correct": round(float(np.mean([row["label"] == "correct" for row in rows])), 4)}


def _vision_step(out: Path, device: str) -> dict:
    return vision.train_vision_model(
        out / "mini-small", tokenizer_of(out), out / "mini-vision", vision.VisionSize(), device
    )

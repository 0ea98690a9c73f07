"""build/playground/<profile>: everything the page loads, and playground.json, which says what is there and what is missing.

    playground.json                       models, questions, settings with their scores, examples; sizes of what loads later
    runtime/                              onnxruntime-web and the tokenizer's library, as npm has them
    <model>/model.onnx, tokenizer.json    loaded when a reader starts to type, or asks for that model
    <model>/names-<layer>.json            names of the latents of a layer
    <model>/<question>/<setting>.json     weights of one probe
    <model>/opening.json, pairs.json      the sentences to start from, analysed: they are seen without the model

Nothing is loaded from anywhere else. A part that cannot be had here is left out and said; the book is built all the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from mosaic.errors import Unavailable
from mosaic.files import place, write_atomically
from mosaic.models.language import LanguageModel
from mosaic.playground import examples, export, probes, runtime, tokenizer
from mosaic.playground.names import names
from mosaic.playground.offered import OFFERED, POOLINGS, Offered, Question
from mosaic.profiles.opening import load_model, load_saes
from mosaic.profiles.profile import Profile, load_profile
from mosaic.progress import Progress
from mosaic.saes.encoder import Encoder
from mosaic.studies.problems import CACHE
from mosaic.texts.sources import require_set

FOLDER = Path("build/playground")
ABOUT = "playground.json"
log = logging.getLogger("mosaic")


def build(profile: Profile, folder: Path = FOLDER, cache: Path = CACHE) -> Path:
    """Make (or complete) the playground of a profile's book. Returns its folder, in which playground.json was written last.

    A profile that none is offered for gets one that says so.
    """
    out, all_of_them = folder / profile.name, OFFERED.get(profile.name, ())
    about: dict = {"format": 1, "poolings": list(POOLINGS), "runtime": None, "models": [], "missing": []}
    if not all_of_them:
        about["missing"].append(
            f"There is none for profile {profile.name}; the books of {' and '.join(OFFERED)} have it."
        )
    else:
        about["runtime"] = _runtime(out, cache, about["missing"])
    for offered in all_of_them:
        try:
            about["models"].append(model(offered, out / offered.profile, cache))
        except Unavailable as error:
            _leave_out(about["missing"], f"{offered.title} is left out: {error}")
    _write(out / ABOUT, about)
    return out


def _runtime(out: Path, cache: Path, missing: list[str]) -> dict | None:
    """What is written of the runtime; None where it cannot be had here."""
    try:
        place(runtime.runtime(cache), out / "runtime")
    except runtime.Missing as error:
        _leave_out(missing, f"Typing is off: {error}")
        return None
    return {
        "packages": [package.label for package in runtime.PACKAGES],
        "bytes": _size(out / "runtime"),
    }


def _leave_out(missing: list[str], why: str) -> None:
    log.warning("playground: %s", why)
    missing.append(why)


def model(offered: Offered, out: Path, cache: Path) -> dict:
    """Write what one model needs; its entry in playground.json. Raises Unavailable where its weights cannot be had."""
    profile = load_profile(offered.profile)
    lm = load_model(profile)
    encoders = load_saes(profile, lm, layers=offered.layers, widths=[offered.width])
    about = {
        "name": offered.profile,
        "title": offered.title,
        "note": offered.note,
        "max_length": lm.spec.max_length,
        "special": tokenizer.around(lm),
        "layers": [{"layer": one.layer, "latents": one.n_latents, "width": one.width} for one in encoders],
    }
    try:
        place(export.exported(lm, encoders, cache), out / "model.onnx")
        _write(out / "tokenizer.json", tokenizer.for_browser(lm))
        about["bytes"] = _size(out / "model.onnx") + _size(out / "tokenizer.json")
    except export.NotInstalled as error:
        about["bytes"], about["why_not"] = None, str(error)
    asked = [one for one in offered.questions if _had(one)]
    with Progress(f"playground of {offered.profile}", len(asked), unit="questions") as progress:
        about["questions"] = []
        for one in asked:
            about["questions"].append(question(one, lm, encoders, out, cache))
            progress.advance(1, 0)
    texts = [text for one in asked for text in probes.rows_of(one)[0].texts]
    for layer, named in names(profile, lm, encoders, texts, cache).items():
        _write(out / f"names-{layer}.json", named)
    there = {one.set for one in asked}
    pairs = [pair for pair in offered.pairs if pair.question in there]
    about["pairs"] = [
        {"title": p.title, "question": p.question.replace("/", "-"), "texts": [p.first, p.second]} for p in pairs
    ]
    for name, some in {"opening": pairs[:1], "pairs": pairs[1:]}.items():
        wanted = list(dict.fromkeys(text for pair in some for text in (pair.first, pair.second)))
        _write(out / f"{name}.json", examples.analysed(wanted, lm, encoders))
    return about


def _had(question: Question) -> bool:
    try:
        for language in question.languages:
            require_set(question.set, language)
    except Unavailable as error:
        log.warning("playground: %s is left out: %s", question.set, error)
        return False
    return True


def question(asked: Question, lm: LanguageModel, encoders: Sequence[Encoder], out: Path, cache: Path) -> dict:
    """Write the probes of a question, a file a setting; the question's entry in playground.json."""
    problem = probes.problem_of(asked, lm, encoders, cache)
    fitted, places = probes.probes(problem)
    settings = []
    for one in fitted:
        name = f"{one['layer']}-{one['pooling']}{'-binarized' if one['binarized'] else ''}.json"
        weights = {key: one.pop(key) for key in ("columns", "weights", "intercept")}
        _write(out / asked.slug / name, weights)
        settings.append({**one, "file": f"{asked.slug}/{name}"})
    return {
        "name": asked.slug,
        "asks": asked.asks,
        "classes": problem.train.classes,
        "languages": [language for language in asked.languages if language],
        "settings": settings,
        **places,
        "examples": examples.of_question(asked),
    }


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files."""
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size


def _write(path: Path, content) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_atomically(path, f"{text}\n".encode("utf-8", "backslashreplace"))

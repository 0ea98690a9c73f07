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

import logging
from pathlib import Path

from mosaic.errors import Unavailable
from mosaic.files import place
from mosaic.playground import export, runtime, tokenizer
from mosaic.playground.data import data, write_json
from mosaic.playground.offered import OFFERED, POOLINGS, Offered, Question
from mosaic.profiles.opening import load_model, load_saes
from mosaic.profiles.profile import Profile, load_profile
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
            about["models"].append(model(offered, out / offered.profile, cache, about["missing"]))
        except Unavailable as error:
            _leave_out(about["missing"], f"{offered.title} is left out: {error}")
    write_json(out / ABOUT, about)
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


def model(offered: Offered, out: Path, cache: Path, missing: list[str]) -> dict:
    """Write what one model needs; its entry in playground.json. missing: said of what is left out. Raises Unavailable where its weights cannot be had."""
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
        write_json(out / "tokenizer.json", tokenizer.for_browser(lm))
        about["bytes"] = _size(out / "model.onnx") + _size(out / "tokenizer.json")
    except export.NotInstalled as error:
        about["bytes"] = None
        _leave_out(missing, f"Typing is off for {offered.title}: {error}")
    asked = [one for one in offered.questions if _had(one)]
    folder, told = data(offered, asked, profile, lm, encoders, cache)
    place(folder, out)
    return {**about, **told}


def _had(question: Question) -> bool:
    try:
        for language in question.languages:
            require_set(question.set, language)
    except Unavailable as error:
        log.warning("playground: %s is left out: %s", question.set, error)
        return False
    return True


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files."""
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size

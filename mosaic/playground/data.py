"""Of one model, all that the page loads but the model: probes, names, sentences analysed. Kept in the cache under what decides it.

A second build finds it there; what is written last is about.json, so that a folder without it is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from mosaic.features import request
from mosaic.files import read_json, write_atomically
from mosaic.interpretation.names import kept_names
from mosaic.models.language import LanguageModel
from mosaic.playground import examples, probes
from mosaic.playground.names import names
from mosaic.playground.offered import Offered, Question
from mosaic.probing import kept
from mosaic.profiles.profile import Profile
from mosaic.progress import Progress
from mosaic.saes.encoder import Encoder
from mosaic.sourcecode import hash_of

ABOUT = "about.json"
DECIDING = (
    *(f"mosaic.playground.{name}" for name in ("data", "examples", "names", "probes")),
    *(f"mosaic.interpretation.{name}" for name in ("descriptions", "detection", "tracking")),
    "mosaic.probing.examine",
)


def data(
    offered: Offered,
    asked: Sequence[Question],
    profile: Profile,
    lm: LanguageModel,
    encoders: Sequence[Encoder],
    cache: Path,
) -> tuple[Path, dict]:
    """(folder of the files, {"questions", "pairs"}: what playground.json says of them). asked: questions whose sets are here."""
    folder = cache / "playground" / f"data-{_key(offered, asked, lm, encoders, cache)}"
    if not (folder / ABOUT).is_file():
        write_json(folder / ABOUT, _made(offered, asked, profile, lm, encoders, folder, cache))
    return folder, read_json(folder / ABOUT)


def _key(
    offered: Offered, asked: Sequence[Question], lm: LanguageModel, encoders: Sequence[Encoder], cache: Path
) -> str:
    """12 hex digits of what decides the files: texts and labels, weights, code, versions, names that were given."""
    digest = hashlib.sha256()
    parts = [offered, asked, probes.TRAIN, probes.TEST, lm.weights_hash, lm.tokenizer_hash, lm.spec.max_length]
    parts += [(encoder.layer, encoder.width, encoder.weights_hash) for encoder in encoders]
    parts += [
        hash_of(DECIDING),
        kept.engine(),
        kept.versions(),
        request.engine(),
        sorted(kept_names(cache, encoders).items()),
    ]
    for question in asked:
        parts += [(rows.texts, rows.labels.tolist()) for rows in probes.rows_of(question)]
    for part in parts:
        digest.update(f"{part!r}\n".encode("utf-8", "backslashreplace"))
    return digest.hexdigest()[:12]


def _made(
    offered: Offered,
    asked: Sequence[Question],
    profile: Profile,
    lm: LanguageModel,
    encoders: Sequence[Encoder],
    folder: Path,
    cache: Path,
) -> dict:
    """Write the files; what is said of them."""
    questions = []
    with Progress(f"playground of {offered.profile}", len(asked), unit="questions") as progress:
        for one in asked:
            questions.append(_question(one, lm, encoders, folder, cache))
            progress.advance(1, 0)
    texts = [text for one in asked for text in probes.rows_of(one)[0].texts]
    for layer, named in names(profile, lm, encoders, texts, cache).items():
        write_json(folder / f"names-{layer}.json", named)
    there = {one.set: one.slug for one in asked}
    pairs = [pair for pair in offered.pairs if pair.question in there]
    for name, some in {"opening": pairs[:1], "pairs": pairs[1:]}.items():
        wanted = list(dict.fromkeys(text for pair in some for text in (pair.first, pair.second)))
        write_json(folder / f"{name}.json", examples.analysed(wanted, lm, encoders))
    told = [{"title": p.title, "question": there[p.question], "texts": [p.first, p.second]} for p in pairs]
    return {"questions": questions, "pairs": told}


def _question(asked: Question, lm: LanguageModel, encoders: Sequence[Encoder], folder: Path, cache: Path) -> dict:
    """Write the probes of a question, a file a setting; what is said of them."""
    problem = probes.problem_of(asked, lm, encoders, cache)
    fitted, places = probes.probes(problem)
    settings = []
    for one in fitted:
        name = f"{one['layer']}-{one['pooling']}{'-binarized' if one['binarized'] else ''}.json"
        weights = {key: one.pop(key) for key in ("columns", "weights", "intercept")}
        write_json(folder / asked.slug / name, weights)
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


def write_json(path: Path, content) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_atomically(path, f"{text}\n".encode("utf-8", "backslashreplace"))

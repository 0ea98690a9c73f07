"""What decides the numbers of a run, as one hash: while it stands, a notebook need not run again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.models.language import ModelSpec
from mosaic.profiles.opening import PACKAGE, available, crossed, located
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting.results import versions

DECISIVE = (
    ".py",
    ".yml",
    ".json",
    ".jsonl",
    ".txt",
    ".csv",
    ".safetensors",
)  # files of the package that decide numbers
# How notebooks are run, published and judged, not what they compute or show.
WITHOUT_EFFECT = (
    "cli/*", "explorer/*", "playground/*", "__main__.py", "reporting/reproduce.py", "reporting/book.py", "reporting/site.py",
    "reporting/serving.py", "reporting/exercises.py", "reporting/slides.py", "reporting/decks.py", "reporting/launch.py", "reporting/branch.py",
    "reporting/source_links.py", "reporting/formulas.py",
    "reporting/fingerprint.py", "reporting/downloads.py", "reporting/latent_pages.py", "reporting/revision.py", "reporting/claims.py", "reporting/claims.yml", "reporting/verdicts.py",
    "reporting/checking.py", "reporting/drift.py", "reporting/recorded.py", "reporting/bands.yml",
)  # fmt: skip


def fingerprint(profile: Profile) -> str:
    """SHA-256 over the libraries' versions, this package's decisive files, the profile, its texts with labels, groups
    and languages, and the weights of its model and SAEs.

    Weights are files where they lie on this machine (shipped, a folder, a mirror, an installed package), and for a
    model of the hub the commit that will be loaded. SAEs of a release count by their name alone.
    """
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    digest.update(repr(profile).encode())
    for path in package_files():
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {file_digest(path)}".encode())
    for part in _texts(profile):
        digest.update(part)
    for name, value in weights(profile):
        digest.update(f"{name} {value}".encode())
    return digest.hexdigest()


def package_files() -> list[Path]:
    """The package's files that decide numbers, in a fixed order."""
    files = sorted(path for path in PACKAGE.rglob("*") if path.suffix in DECISIVE)
    return [path for path in files if not any(path.relative_to(PACKAGE).match(skip) for skip in WITHOUT_EFFECT)]


def _texts(profile: Profile) -> Iterator[bytes]:
    from mosaic.hub.snapshot import snapshot
    from mosaic.texts import image_sets
    from mosaic.texts.documents import recipe_documents
    from mosaic.texts.ids import text_ids
    from mosaic.texts.sources import MINI, load_set

    # The miniature's sets are drawn by this package, whose files are in the hash.
    choices = [(choice.name, choice.language) for choice in available(profile)]
    for choice in crossed(profile):
        choices += [(choice.name, language) for language in choice.languages]
        choices += [(name, language) for language, name in choice.translated.items()]
    for name, language in dict.fromkeys(choice for choice in choices if not choice[0].startswith(MINI)):
        for part in load_set(name, language):
            yield text_ids(part.texts).tobytes()
            for column in (part.labels, part.groups, part.languages):
                yield json.dumps(None if column is None else [str(value) for value in column]).encode()
    if _reads_training_texts(profile):
        yield text_ids(recipe_documents(profile.training)).tobytes()
    for name in profile.vision.sets if profile.vision else ():
        if (found := image_sets.stands_on_hub(name)) is not None:
            yield snapshot(found).name.encode()  # its commit


def _reads_training_texts(profile: Profile) -> bool:
    """Whether chapters read what training held out of texts of MOSAIC_DATA (`mosaic.studies.unseen`), and they can be had."""
    trained = bool(profile.end_to_end or profile.recipes) and profile.training is not None
    return trained and profile.training.corpora != ("mini",) and bool(os.environ.get("MOSAIC_DATA"))


def weights(profile: Profile) -> Iterator[tuple[str, str]]:
    """(name, hash or commit) of everything outside this package that the profile's models and SAEs are read from, and those of
    the larger and the other models that it names."""
    from mosaic.models.opening import MINILM_ID, resolve
    from mosaic.profiles.opening import located_folder

    for spec in (profile.model, *([profile.vision.model] if profile.vision else [])):
        source = resolve(spec)
        if Path(source).is_dir():
            yield from _folder("model", Path(source))
        else:
            yield "model", commit(spec)
    for sae in profile.saes:
        if sae.path:
            yield from _folder(f"SAE {sae.path}", Path(located(sae).path))
    for control in profile.partly_trained:
        yield from _folder(f"SAE {control.path}", located_folder(control.path))
    if profile.seeds:
        yield from _folder("seeds", located_folder(profile.seeds))
    if profile.end_to_end:
        yield from _folder("end to end", located_folder(profile.end_to_end))
    if profile.recipes:
        yield from _folder("recipes", located_folder(profile.recipes))
    if profile.vision and profile.vision.image_tokens:
        yield from _folder("image tokens", located_folder(profile.vision.image_tokens))
    # A score of explanations needs it, and is left out without it; its weights are checked wherever they come from.
    yield "sentence encoder", str(Path(resolve(ModelSpec(MINILM_ID))).is_dir())
    for name in dict.fromkeys(
        (*([profile.larger] if profile.larger else []), *(other.name for other in profile.others))
    ):
        other = load_profile(name)
        yield name, repr(other)
        # Those that it names itself are not read.
        yield from weights(
            replace(
                other, larger=None, others=(), seeds=None, end_to_end=None, recipes=None, partly_trained=(), vision=None
            )
        )


def _folder(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    if PACKAGE in folder.resolve().parents:
        return  # hashed with the package
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield f"{name}/{path.relative_to(folder).as_posix()}", file_digest(path)


def commit(spec: ModelSpec) -> str:
    """The commit of a model of the hub that would be loaded; "" where that cannot be said (loading it says why)."""
    from mosaic.models.opening import local_folder

    try:
        return Path(local_folder(spec, files=("config.json",))).name
    except MosaicError:
        return ""


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

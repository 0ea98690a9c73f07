"""What a profile reads from the hub, its sizes before anything is downloaded, and all of it on this disk."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError, Unavailable
from mosaic.hub.repository import Repository
from mosaic.hub.snapshot import MEGABYTE, sizes, snapshot
from mosaic.profiles.opening import available_others
from mosaic.profiles.profile import CrossedSet, Profile, SetChoice, load_profile
from mosaic.progress import Progress

log = logging.getLogger("mosaic")
GIB = 2**30
SPARE = 1.02  # of the bytes that are missing: what a download needs beside them


@dataclass(frozen=True)
class Wanted:
    """what: "model", "SAEs", "texts" or "images". files, bytes: of the repository's files that are read; missing: bytes not here."""

    what: str
    repository: Repository
    files: int
    bytes: int
    missing: int


def survey(profile: Profile) -> list[Wanted]:
    """What the profile reads from the hub: models, SAEs, data sets, in its order; nothing that stands here otherwise.

    Raises Unavailable for what the hub refuses, unless it is optional: that is left out, and said so.
    """
    return [_weighed(what, repository) for what, repository in repositories(profile)]


def fetch(wanted: list[Wanted], name: str) -> None:
    """Download what is missing. Raises MosaicError, before it begins, where the disk has no room for it."""
    missing = sum(one.missing for one in wanted)
    check_room(missing)
    with Progress(f"fetching {name}", total=missing // MEGABYTE, unit="MB") as progress:
        for one in wanted:
            snapshot(one.repository, progress)


def check_room(missing: int) -> None:
    """Raises MosaicError where so many bytes do not fit on the disk of the hub's cache."""
    from huggingface_hub import constants

    free = free_bytes(Path(constants.HF_HUB_CACHE))
    if missing * SPARE > free:
        raise MosaicError(
            f"{missing / GIB:.1f} GiB are to be fetched, and {constants.HF_HUB_CACHE} has {free / GIB:.1f} GiB free. "
            "Free some, or set HF_HOME to a folder on a larger one."
        )


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk that a folder stands on, or will."""
    return shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if path.is_dir())).free


def repositories(profile: Profile) -> Iterator[tuple[str, Repository]]:
    """(what, repository) of everything that the profile's chapters read from the hub, the models beside it included; files of
    one repository stand together."""
    from mosaic.models import opening
    from mosaic.saes.registry import registered
    from mosaic.saes.registry import repository as of_sae
    from mosaic.texts import image_sets

    larger = [load_profile(profile.larger)] if profile.larger else []
    beside = list(dict.fromkeys((*larger, *available_others(profile))))
    vision = [profile.vision.model] if profile.vision else []
    for spec in dict.fromkeys((profile.model, *vision, *(one.model for one in beside))):
        if not Path(opening.resolve(spec)).is_dir():
            yield "model", opening.repository(spec)
    merged: dict[str, Repository] = {}
    for source in (source for one in (profile, *beside) for source in one.saes):
        if source.path is None:
            found = of_sae(source) or Repository(registered(source)[0].repo_id)
            known = merged.get(found.id, replace(found, files=()))
            merged[found.id] = replace(known, files=(*known.files, *found.files))
    yield from (("SAEs", repository) for repository in merged.values())
    yield from (("texts", repository) for repository in dict.fromkeys(_of_texts(profile)))
    for name in profile.vision.sets if profile.vision else ():
        if (found := image_sets.stands_on_hub(name)) is not None:
            yield "images", found


def _of_texts(profile: Profile) -> Iterator[Repository]:
    from mosaic.texts.sources import stands_on_hub

    for choice, name, language in _sets(profile):
        try:
            if (found := stands_on_hub(name, language)) is not None:
                yield found
        except Unavailable as error:
            if not choice.optional:
                raise
            log.warning("%s is left out: %s", name, error)


def _sets(profile: Profile) -> Iterator[tuple[SetChoice | CrossedSet, str, str | None]]:
    """(choice, set, language) of all texts that the profile's chapters read."""
    for choice in profile.datasets:
        yield choice, choice.name, choice.language
    for choice in profile.crossed:
        for language in choice.languages:
            yield choice, choice.name, language
        for language, name in choice.translated.items():
            yield choice, name, language


def _weighed(what: str, repository: Repository) -> Wanted:
    files = sizes(repository)
    missing = sum(size for size, here in files.values() if not here)
    return Wanted(what, repository, len(files), sum(size for size, _ in files.values()), missing)

"""What would stop a profile on this machine: looked at one by one, before weights or texts are downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.hub.requests import check_environment
from mosaic.machine import cores, free_memory
from mosaic.profiles.fetching import GIB, Wanted, check_room, free_bytes, survey
from mosaic.profiles.plan import estimate
from mosaic.profiles.profile import Profile

DISTRIBUTION = "mosaic-companion"


@dataclass(frozen=True)
class Finding:
    """what: was looked at. fine: whether it stops nothing. found: in words, with the cure where it does."""

    what: str
    fine: bool
    found: str


def examine(profile: Profile) -> list[Finding]:
    """Versions, device, memory, token, hub (with licences), disk: in the order in which a user mends them."""
    wanted: list[Wanted] | None = None

    def hub() -> str:
        nonlocal wanted
        wanted = survey(profile)
        if not wanted:
            return "is not needed: this profile reads nothing from it"
        return f"all {len(wanted)} repositories are here or can be had, {sum(one.files for one in wanted)} files"

    looks: list[tuple[str, Callable[[], str]]] = [
        ("versions", versions),
        ("device", device),
        ("memory", lambda: memory(profile)),
        ("token", token),
        ("hub", hub),
        ("disk", lambda: disk(wanted)),
    ]
    return [_looked(what, look) for what, look in looks]


def _looked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except MosaicError as error:
        return Finding(what, False, str(error))


def versions() -> str:
    """Raises MosaicError for a package that is missing, or of a version that this one was not tested with."""
    from importlib.metadata import PackageNotFoundError, version

    asked = list(_asked())
    for name, specifier in asked:
        try:
            there = version(name)
        except PackageNotFoundError:
            raise MosaicError(f"{name} is not installed. Install it: pip install '{name}{specifier}'") from None
        if not specifier.contains(there, prereleases=True):
            raise MosaicError(f"{name} is {there}, {specifier} is needed: pip install '{name}{specifier}'")
    shown = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "sae-lens", "scikit-learn"))
    return f"{shown}; all {len(asked)} packages as needed"


def _asked() -> Iterator[tuple[str, object]]:
    """(package, specifier) of what this package needs without extras."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    for line in requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name, requirement.specifier


def device() -> str:
    """The fastest device that PyTorch sees, with its memory."""
    import torch

    if torch.cuda.is_available():
        gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        return "; ".join(f"cuda:{i} {gpu.name}, {gpu.total_memory / GIB:.0f} GiB" for i, gpu in enumerate(gpus))
    mps = ", and mps" if torch.backends.mps.is_available() else ""
    return f"{cores()} CPU cores{mps}; no CUDA"


def memory(profile: Profile) -> str:
    """Raises MosaicError where the profile's model and encoders need more than this machine has free."""
    needed, free = estimate(profile, rate=1.0).memory, free_memory()
    told = f"{needed / GIB:.1f} GiB needed, {free / GIB:.1f} GiB free"
    if needed > free:
        raise MosaicError(
            f"{told}. Take a smaller profile, or a copy of this one with fewer SAEs or `dtype: bfloat16` under model."
        )
    return told


def token() -> str:
    """Whether a token of the hub is set; whether it is needed, the hub says."""
    check_environment()
    from huggingface_hub import get_token

    return "set" if get_token() else "none (only gated models need one: `hf auth login`, or HF_TOKEN)"


def disk(wanted: list[Wanted] | None) -> str:
    """wanted: None where the hub did not say. Raises MosaicError where what is missing does not fit."""
    check_environment()
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    free = f"{free_bytes(folder) / GIB:.1f} GiB free at {folder}"
    if wanted is None:
        return f"what is to be fetched is not known; {free}"
    missing = sum(one.missing for one in wanted)
    check_room(missing)
    return f"{missing / GIB:.1f} GiB to fetch, {free}"

"""What the chapter on feature spaces reads: the profile's SAEs beside those of its other models, and beside what learned less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mosaic.errors import MosaicError
from mosaic.interpretation.strongest import Strongest
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import available_others, select_saes
from mosaic.profiles.profile import Profile
from mosaic.studies.feature_spaces import (
    LEAST_PAIRS,
    Compared,
    Reader,
    ReadTogether,
    Space,
    random_reader,
    read_together,
    reader_of,
    untrained_reader,
)
from mosaic.studies.problems import opened

RANDOM, UNTRAINED = "random dictionaries", "an SAE of the untrained model"


@dataclass(frozen=True, eq=False)
class Readings:
    """grid: every pair of layers, the middle ones first. itself: the middle layer's SAE against itself. layers: it against the SAE
    of the profile's nearest other layer, None where there is none. controls: {what: its spaces against the other model's middle
    layer}. read: {other model: (what a row is, how many)}. strongest: words on which the latents of the middle layers fire most.
    """

    grid: tuple[Compared, ...]
    itself: Compared
    layers: Compared | None
    controls: Mapping[str, Sequence[Compared]]
    read: Mapping[str, tuple[str, int]]
    strongest: Mapping[Space, Strongest]

    @property
    def main(self) -> Compared:
        return self.grid[0]


def readings(
    profile: Profile, lm: LanguageModel, others: Sequence[Profile], texts: Sequence[str], device: str
) -> Readings:
    """All models on the texts, one other model at a time; pairs of layers with too few pairs of latents are left out.

    Raises MosaicError where those of the middle layers have too few.
    """
    own = reader_of(profile, lm)
    main = _beside_the_first(profile, own, others[0], texts, device)
    grid, read = list(main.grid), dict(main.read)
    for other in others[1:]:
        theirs = reader_of(other, opened(other, device)[1])
        pairs = [(a, b) for a in own.spaces for b in theirs.spaces]
        found = read_together([own, theirs], texts, pairs)
        grid += [found.compared(*pair) for pair in pairs]
        read[other.name] = found.unit, found.n_rows
    return replace(main, grid=tuple(one for one in grid if len(one.pairs) >= LEAST_PAIRS), read=read)


def _beside_the_first(profile: Profile, own: Reader, other: Profile, texts: Sequence[str], device: str) -> Readings:
    """The profile's model, its controls and the first other model on the same rows."""
    theirs, controls = reader_of(other, opened(other, device)[1]), controls_of(profile, own, texts)
    middle, facing = _of_layer(own, profile.middle), _of_layer(theirs, other.middle)
    near = [space for space in own.spaces if space is not middle]
    near = min(near, key=lambda space: (abs(space.layer - middle.layer), -space.layer)) if near else None
    pairs = [(middle, facing), *((a, b) for a in own.spaces for b in theirs.spaces if (a, b) != (middle, facing))]
    beside = [(space, facing) for reader in controls.values() for space in reader.spaces]
    within = [(middle, middle), *([(middle, near)] if near else [])]
    found = read_together(with_controls(own, theirs, controls), texts, [*pairs, *beside, *within], (middle, facing))
    grid = tuple(found.compared(*pair) for pair in pairs)
    check_enough(grid[0], len(texts))
    return Readings(
        grid,
        found.compared(middle, middle),
        found.compared(middle, near) if near else None,
        against(found, controls, facing),
        {other.name: (found.unit, found.n_rows)},
        found.strongest,
    )


def _of_layer(reader: Reader, layer: int) -> Space:
    return next(space for space in reader.spaces if space.layer == layer)


def others_of(profile: Profile) -> tuple[Profile, ...]:
    """The profiles it names under `others`, as far as they can be had. Raises MosaicError for one with its own name, one that
    stands twice, one without an SAE of its main width at its middle layer, and where none can be had."""
    if not (others := available_others(profile)):
        raise MosaicError(
            f"profile {profile.name} has no other model that can be had here. Name profiles under others, or set MOSAIC_MODELS "
            "to a folder that holds their models."
        )
    for one in (profile, *others):
        select_saes(one, [one.middle], [one.width])
    return others


def controls_of(profile: Profile, own: Reader, texts: Sequence[str]) -> dict[str, Reader]:
    """{what: its spaces} of all that have learned less than the profile's SAEs."""
    found = {RANDOM: random_reader(profile, own.lm, texts), UNTRAINED: untrained_reader(profile, own.lm)}
    return {name: reader for name, reader in found.items() if reader is not None}


def with_controls(own: Reader, theirs: Reader, controls: Mapping[str, Reader]) -> list[Reader]:
    """All that read the same texts; what reads the profile's own model is one reader, so that the model runs once."""
    alone = [reader for reader in controls.values() if reader.lm is not own.lm]
    for reader in controls.values():
        own = own.and_also(reader) if reader.lm is own.lm else own
    return [own, *alone, theirs]


def against(read: ReadTogether, controls: Mapping[str, Reader], facing: Space) -> dict[str, list[Compared]]:
    """{control: its spaces against the other model's middle layer}, of controls whose latents all have partners enough."""
    found = {name: [read.compared(space, facing) for space in of.spaces] for name, of in controls.items()}
    return {name: of for name, of in found.items() if all(len(one.pairs) >= LEAST_PAIRS for one in of)}


def check_enough(main: Compared, n_texts: int) -> None:
    """Raises MosaicError where too few latents of the middle layers fire alike."""
    if len(main.pairs) < LEAST_PAIRS:
        raise MosaicError(
            f"fewer than {LEAST_PAIRS} latents of {main.first.name} fire like one of {main.second.name} on {n_texts} texts. Read "
            "more of them (n_texts)."
        )

"""What a profile names, opened: its data sets, its model, its SAEs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from mosaic.errors import MosaicError, Unavailable
from mosaic.models.language import LanguageModel
from mosaic.profiles.profile import HOME, CrossedSet, OtherModel, Profile, SetChoice, load_profile
from mosaic.saes.encoder import Encoder
from mosaic.saes.source import SAESource

log = logging.getLogger("mosaic")
PACKAGE = Path(__file__).parent.parent


@cache
def available(profile: Profile) -> tuple[SetChoice, ...]:
    """The profile's data sets that can be had here. Raises Unavailable for one that is missing and not optional."""
    return tuple(choice for choice in profile.datasets if _had(choice, choice.name, choice.language, choice.title))


@cache
def crossed(profile: Profile) -> tuple[CrossedSet, ...]:
    """The profile's sets in several languages that can be had here, each in the languages and with the translations that can.
    Raises Unavailable as `available` does."""
    return tuple(found for choice in profile.crossed if (found := _crossed(choice)) is not None)


@cache
def available_others(profile: Profile) -> tuple[Profile, ...]:
    """The profiles it names under `others` whose models can be had here. Raises MosaicError for one that stands twice or is the
    profile itself, and Unavailable for one that is missing and not optional."""
    names = [profile.name, *(other.name for other in profile.others)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise MosaicError(f"profile {profile.name}, others: {name} stands twice. Name every other model once.")
    return tuple(load_profile(other.name) for other in profile.others if _other_had(other))


def _other_had(other: OtherModel) -> bool:
    """Whether the model and the SAEs of an optional other profile can be had; one whose cannot is left out, and said so."""
    from mosaic.models.opening import local_folder

    found = load_profile(other.name)
    if not other.optional:
        return True  # asked for when it is read
    try:
        local_folder(found.model, files=("config.json",))
    except Unavailable as error:
        log.warning(
            "%s is left out: %s MOSAIC_MODELS may name a folder that holds %s/.",
            other.name, error, found.model.id.split("/")[-1],
        )  # fmt: skip
        return False
    return True


def _crossed(choice: CrossedSet) -> CrossedSet | None:
    """A set without what it lacks here; None where English is missing, or all the others."""
    title = f"{choice.name} in other languages"
    if not _had(choice, choice.name, HOME, title):
        return None
    others = [
        language
        for language in choice.languages[1:]
        if _had(choice, choice.name, language, f"{choice.name} in {language}")
    ]
    if not others:
        log.warning("%s is left out: there is none but %s.", title, HOME)
        return None
    translated = {
        language: name
        for language, name in choice.translated.items()
        if language in others and _had(choice, name, language, f"{choice.name} in {language}, translated to {HOME},")
    }
    return replace(choice, languages=(HOME, *others), translated=translated)


def _had(choice: SetChoice | CrossedSet, name: str, language: str | None, title: str) -> bool:
    """Whether a set can be had in a language; one that cannot, of an optional choice, is left out, and said so."""
    from mosaic.texts.sources import require_set

    try:
        require_set(name, language)
    except Unavailable as error:
        if not choice.optional:
            raise
        log.warning("%s is left out: %s", title, error)
        return False
    return True


def check_sets(profile: Profile) -> None:
    """Raises MosaicError for a set that nobody has heard of, as reading it would; downloads nothing."""
    from mosaic.texts.image_sets import check_images
    from mosaic.texts.sources import check_set

    for choice in profile.datasets:
        check_set(choice.name, choice.language)
    for choice in profile.crossed:
        for language in choice.languages:
            check_set(choice.name, language)
        for language, name in choice.translated.items():
            check_set(name, language)
    for name in profile.vision.sets if profile.vision else ():
        check_images(name)


def load_model(profile: Profile, device: str = "cpu") -> LanguageModel:
    from mosaic.models.opening import open_model

    return open_model(profile.model, device)


def select_saes(
    profile: Profile,
    layers: Sequence[int] | None = None,
    widths: Sequence[str] | None = None,
    seeds: Sequence[int] | None = (0,),
) -> list[SAESource]:
    """The profile's SAEs with these layers, widths and seeds (None: all of them), in the profile's order.

    Raises MosaicError when a wanted layer or width has none.
    """
    for what, wanted, there in (("layer", layers, profile.layers), ("width", widths, profile.widths)):
        for value in wanted or ():
            if value not in there:
                raise MosaicError(
                    f"profile {profile.name} has no SAE of {what} {value!r}; it has {', '.join(map(str, there))}."
                )
    chosen = [
        source
        for source in profile.saes
        if (not layers or source.layer in layers)
        and (not widths or source.width in widths)
        and (seeds is None or source.seed in seeds)
    ]
    if not chosen:
        raise MosaicError(f"profile {profile.name} has no SAE of layers {layers}, widths {widths} and seeds {seeds}.")
    return chosen


def load_saes(
    profile: Profile, lm: LanguageModel, layers=None, widths=None, seeds: Sequence[int] | None = (0,)
) -> tuple[Encoder, ...]:
    """Load the selected SAEs' encoders onto the model's device."""
    from mosaic.saes.loading import load_encoder

    sources = [located(source) for source in select_saes(profile, layers, widths, seeds)]
    model, first = profile.model.id, lm.spec.first_layer
    return tuple(load_encoder(source, model, lm.d_model, lm.device, first) for source in sources)


def load_partly_trained(profile: Profile, lm: LanguageModel, kind: str) -> tuple[Encoder, ...]:
    """The profile's SAE of a kind of `PartlyTrained`, if it has one."""
    from mosaic.saes.loading import load_encoder

    sources = [
        SAESource(profile.middle, profile.width, path=str(located_folder(one.path)))
        for one in profile.partly_trained
        if one.kind == kind
    ]
    return tuple(load_encoder(s, profile.model.id, lm.d_model, lm.device, lm.spec.first_layer) for s in sources)


def located(source: SAESource) -> SAESource:
    """Relative paths are looked up in the package first (shipped weights), then in the working folder."""
    return source if not source.path else replace(source, path=str(located_folder(source.path)))


def located_folder(path: str) -> Path:
    """A relative path is looked up in the package first, then in the working folder."""
    shipped = PACKAGE / path
    return shipped if not Path(path).is_absolute() and shipped.is_dir() else Path(path)


NEEDS = {
    "widths": "SAEs of several widths at its middle layer",
    "languages": "a set in several languages that can be had here (crossed; the real ones need the hub or MOSAIC_DATA)",
    "truth": "texts whose factors are known (truth: true)",
    "images": "a vision-language model and sets of images (vision)",
    "others": "other models that can be had here (others: their profiles)",
    "end_to_end": "SAEs trained end to end (end_to_end: their folder)",
    "seeds": "SAEs of several seeds (seeds: a folder that `mosaic train-sae --seeds` wrote)",
    "recipes": "SAEs by other recipes (recipes: a folder of them)",
    "sweep": "SAEs that vary in more than their seed (seeds: a folder of such a sweep)",
}


def lacking(profile: Profile, needs: Sequence[str]) -> list[str]:
    """Which of a chapter's needs, keys of NEEDS, the profile does not meet.

    Raises MosaicError where the folder of SAEs that it names cannot be read.
    """
    from mosaic.saes.sweep import read_card, seed_groups

    widths = {source.width for source in profile.saes if source.layer == profile.middle}
    has = {
        "widths": len(widths) > 1,
        "truth": profile.truth,
        "images": bool(profile.vision and profile.vision.sets),
        "others": False,
        "end_to_end": bool(profile.end_to_end),
        "seeds": bool(profile.seeds),
        "recipes": bool(profile.recipes),
        "sweep": False,
        "languages": False,
    }
    if "languages" in needs:  # what is not optional must be had, and is asked for when it is read
        has["languages"] = any(not choice.optional for choice in profile.crossed) or bool(crossed(profile))
    if "others" in needs:
        has["others"] = bool(available_others(profile))
    if profile.seeds and "sweep" in needs:
        has["sweep"] = len(seed_groups(read_card(located_folder(profile.seeds)))) > 1
    return [need for need in needs if not has[need]]

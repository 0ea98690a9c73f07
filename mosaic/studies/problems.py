"""The profile's problems, one after the other, features from the common cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import Problem, make_problem, subsample
from mosaic.profiles.opening import available, crossed, load_model, load_saes
from mosaic.profiles.profile import HOME, Profile, SetChoice, load_profile
from mosaic.saes.encoder import Encoder
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.sources import load_set

CACHE = Path("build/cache")


def opened(profile: str | Profile, device: str = "cpu") -> tuple[Profile, LanguageModel]:
    """A profile, by name or as it is, and its language model on the device."""
    profile = load_profile(profile) if isinstance(profile, str) else profile
    return profile, load_model(profile, device)


def load_cut(profile: Profile, name: str, language: str | None = None) -> tuple[LabelledTexts, LabelledTexts]:
    """(train, test) of a set by name, cut, stratified, to the profile's `max_train` and `max_test`."""
    train, test = load_set(name, language)
    return subsample(train, profile.max_train), subsample(test, profile.max_test)


def sets_here(profile: Profile) -> tuple[SetChoice, ...]:
    """The profile's data sets that can be had here, one or more. Raises MosaicError where there is none."""
    if not profile.datasets:
        raise MosaicError(
            f"profile {profile.name} names no data sets, which this chapter needs. Add some under datasets."
        )
    if not (found := available(profile)):
        named = ", ".join(choice.title for choice in profile.datasets)
        raise MosaicError(
            f"profile {profile.name} has no data set that can be had here: {named} are all left out. Connect to the network, "
            "set MOSAIC_DATA to a folder that holds them, or add a set of the miniature, such as mini/stance."
        )
    return found


def problems(
    profile: Profile,
    lm: LanguageModel,
    layers: Sequence[int] | None = None,
    widths: Sequence[str] | None = None,
    poolings: Sequence[str] | None = None,
    cache: Path | None = CACHE,
) -> Iterator[tuple[str, Problem]]:
    """(title, problem) of each data set of the profile: SAEs of these layers and widths, hidden states beside them.

    Training and test rows are cut, stratified, to the profile's `max_train` and `max_test`. Every layer and pooling of
    these widths is extracted at once, so that the first chapter fills the cache for all. Raises MosaicError for a
    pooling the profile does not compute, and where none of its sets can be had.
    """
    check_poolings(profile, poolings or ())
    choices = sets_here(profile)
    encoders = load_saes(profile, lm, widths=widths)
    request = Request(encoders, tuple(profile.layers), profile.poolings)

    def wanted(what: dict) -> bool:
        return (
            (not layers or what["layer"] in layers)
            and (not widths or what.get("width", widths[0]) in widths)
            and (not poolings or what["pooling"] in poolings)
        )

    for choice in choices:
        train, test = load_cut(profile, choice.name, choice.language)
        yield choice.title, make_problem(train, test, lm, request, cache, wanted)


def read_sets(profile: Profile) -> tuple[SetChoice, ...]:
    """Every set, in every language, whose features the profile's chapters read and that can be had here."""
    found = {(choice.name, choice.language): choice for choice in available(profile)}
    for choice in crossed(profile):
        more = [(choice.name, language) for language in choice.languages]
        more += [(name, language) for language, name in choice.translated.items()]
        for name, language in more:
            if not (language == HOME and (name, None) in found):  # a set without a language is read in the first one
                found.setdefault((name, language), SetChoice(name, language, choice.optional))
    return tuple(found.values())


def fill(profile: Profile, choice: SetChoice, cache: Path, device: str = "cpu") -> int:
    """Put a set's features of every layer and pooling into the cache; how many texts it has.

    Of every width where it is one of the profile's data sets, of the main width where the chapter on languages alone reads it.
    """
    lm = load_model(profile, device)
    train, test = load_cut(profile, choice.name, choice.language)
    own = {(one.name, one.language) for one in profile.datasets}
    widths = None if (choice.name, choice.language) in own else [profile.width]
    request = Request(load_saes(profile, lm, widths=widths), tuple(profile.layers), profile.poolings)
    return len(make_problem(train, test, lm, request, cache).train) + len(test)


def check_poolings(profile: Profile, wanted: Iterable[str]) -> None:
    """Raises MosaicError naming the first wanted pooling that the profile does not compute."""
    for pooling in wanted:
        if pooling not in profile.poolings:
            raise MosaicError(
                f"profile {profile.name} does not compute the pooling {pooling!r}, which this chapter compares; it has "
                f"{', '.join(profile.poolings)}. Add it to the profile's poolings."
            )


def check_among(poolings: Sequence[str], needed: str) -> None:
    """Raises MosaicError where the poolings asked for leave out one that the chapter reads by itself."""
    if needed not in poolings:
        raise MosaicError(
            f"this chapter needs the pooling {needed!r} beside {', '.join(poolings)}. Add it to poolings."
        )


def latent_names(
    profile: Profile, lm: LanguageModel, cache: Path | None = CACHE, encoders: Sequence[Encoder] | None = None
) -> dict[str, str]:
    """{"layer_3/width_1k/17": "message: negation (0.97)"}: the name that `mosaic names` kept, else, where factors are known, the
    one a latent tracks.

    encoders: whose latents (None: of all the profile's SAEs). Empty for a real model none of whose latents was ever named.
    """
    from mosaic.interpretation.names import any_kept, kept_names

    if not (profile.truth or any_kept(cache)):
        return {}
    encoders = encoders or load_saes(profile, lm)
    return {**(_tracked(lm, cache, encoders) if profile.truth else {}), **kept_names(cache, encoders)}


def _tracked(lm: LanguageModel, cache: Path | None, encoders: Sequence[Encoder]) -> dict[str, str]:
    """The factor that each latent tracks, in the miniature."""
    from mosaic.interpretation import tracking

    rows, factors = tracking.texts()
    return {
        f"{table.column_prefix}/{latent}": name
        for table in tracking.tables(rows, lm, encoders, cache)
        for latent, name in tracking.names(table, rows, factors).items()
    }

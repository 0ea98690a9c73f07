"""The profile's SAEs of several seeds, and texts they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mosaic.agreement.pairwise import Seeds
from mosaic.errors import MosaicError
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import available, located_folder
from mosaic.profiles.profile import Profile, load_profile
from mosaic.saes.encoder import Encoder
from mosaic.saes.sweep import SeedGroup, read_card, seed_groups, shown
from mosaic.texts.sources import load_set


def seed_rows(profile: Profile) -> list[dict]:
    """The card of the profile's SAEs of several seeds. Raises MosaicError where the profile names none."""
    if not profile.seeds:
        raise MosaicError(
            f"profile {profile.name} names no SAEs of several seeds: train some with `mosaic train-sae --seeds 0,1,2` "
            "and give their folder as `seeds:`."
        )
    return read_card(located_folder(profile.seeds))


def seeds_of(profile: Profile, rows: Sequence[dict], device: str = "cpu") -> Seeds:
    """The SAEs of these rows of the card, and their pairwise matches."""
    from mosaic.saes.dictionary import load_dictionary

    folder = located_folder(profile.seeds)
    return Seeds.of([load_dictionary(folder / row["name"]) for row in rows], device)


def base_of(profile: str | Profile) -> tuple[Profile, SeedGroup]:
    """A profile, by name or as it is, and the setting of which it has the most seeds."""
    profile = load_profile(profile) if isinstance(profile, str) else profile
    return profile, seed_groups(seed_rows(profile))[0]


def seed_encoders(profile: Profile, lm: LanguageModel, rows: Sequence[dict]) -> tuple[Encoder, ...]:
    """The encoders of the same SAEs, for features."""
    from mosaic.saes.loading import load_encoder
    from mosaic.saes.source import SAESource

    folder = located_folder(profile.seeds)
    sources = [
        SAESource(row["layer"], shown(row, "width"), path=str(folder / row["name"]), seed=row["seed"]) for row in rows
    ]
    model, first = profile.model.id, lm.spec.first_layer
    return tuple(load_encoder(source, model, lm.d_model, lm.device, first) for source in sources)


def held_out_texts(profile: Profile, n: int) -> list[str]:
    """Texts of the kind the SAEs were trained on, which they were not trained on, as far as the project has them.

    The miniature draws new documents; other profiles take the test texts of their data sets. Raises MosaicError
    where a profile has neither.
    """
    if profile.training and profile.training.corpora == ("mini",):
        from mosaic.world.corpus import HELD_OUT_SEED, documents

        return [d.text for d in documents(HELD_OUT_SEED + 3, 0, n)]
    texts = [text for choice in available(profile) for text in load_set(choice.name, choice.language)[1].texts]
    if not texts:
        raise MosaicError(f"profile {profile.name} has no data set that can be had here: there are no texts to read.")
    return list(dict.fromkeys(texts))[:n]


def ranges(values: Sequence[float]) -> dict:
    """{mean, low, high} of some values: low and high are their range."""
    return {"mean": float(np.mean(values)), "low": float(min(values)), "high": float(max(values))}

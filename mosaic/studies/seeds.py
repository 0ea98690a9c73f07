"""The profile's SAEs of several seeds, and texts they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence

from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import available, located_folder
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.texts.sources import load_set


def seed_rows(profile: Profile) -> list[dict]:
    """The card of the profile's SAEs of several seeds."""
    from mosaic.saes.sweep import read_card

    return read_card(located_folder(profile.seeds))


def seeds_of(profile: Profile, rows: Sequence[dict]):
    """The SAEs of these rows of the card, and their pairwise matches."""
    from mosaic.agreement.pairwise import Seeds
    from mosaic.saes.dictionary import load_dictionary

    folder = located_folder(profile.seeds)
    return Seeds.of([load_dictionary(folder / row["name"]) for row in rows])


def seed_encoders(profile: Profile, lm: LanguageModel, rows: Sequence[dict]) -> tuple[Encoder, ...]:
    """The encoders of the same SAEs, for features."""
    from mosaic.saes.loading import SAESource, load_encoder
    from mosaic.saes.sweep import shown

    folder = located_folder(profile.seeds)
    sources = [
        SAESource(row["layer"], shown(row, "width"), path=str(folder / row["name"]), seed=row["seed"]) for row in rows
    ]
    return tuple(load_encoder(source, profile.model.id, lm.d_model, lm.device) for source in sources)


def held_out_texts(profile: Profile, n: int) -> list[str]:
    """Texts of the kind the SAEs were trained on, which they were not trained on, as far as the project has them.

    The miniature draws new documents; other profiles take the test texts of their data sets.
    """
    if profile.training and profile.training.corpora == ("mini",):
        from mosaic.world.corpus import HELD_OUT_SEED, documents

        return [d.text for d in documents(HELD_OUT_SEED + 3, 0, n)]
    texts = [text for choice in available(profile) for text in load_set(choice.name, choice.language)[1].texts]
    return list(dict.fromkeys(texts))[:n]

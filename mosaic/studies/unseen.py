"""Texts that the SAEs of a card did not learn from, of the kind that they learned from wherever it can be told which those are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.models.language import LanguageModel, Tokens
from mosaic.profiles.profile import Profile
from mosaic.saes.held_out import held_apart
from mosaic.studies.seeds import held_out_texts
from mosaic.texts.documents import recipe_documents

NEW = "new documents, drawn as those that the SAEs learned from"
HELD_OUT = "passages that were held out of the texts that the SAEs learned from"
OF_SETS = "test texts of the profile's data sets, which are of another kind than those that the SAEs learned from"


def unseen(
    profile: Profile, lm: LanguageModel, rows: Sequence[Mapping], n: int, share: float, seed: int
) -> tuple[Tokens, str]:
    """(n texts at most, what they are).

    The miniature draws new documents. Elsewhere training held out a `share` of the profile's training texts, drawn by `seed`: these
    are read where they have as many tokens as every row of the card says were held out. Where they do not, the SAEs learned from other texts,
    and test texts of the profile's sets are read. Raises MosaicError where training texts cannot be had.
    """
    if profile.training is None or profile.training.corpora == ("mini",):
        what = NEW if profile.training else OF_SETS
        return lm.tokenize(held_out_texts(profile, n)), what
    held, _ = held_apart(recipe_documents(profile.training), share, seed)
    tokens = lm.tokenize(held)
    if all(row.get("held_out_tokens") == tokens.counts.sum() for row in rows):
        return tokens.take(range(min(n, len(held)))), HELD_OUT
    return lm.tokenize(held_out_texts(profile, n)), OF_SETS

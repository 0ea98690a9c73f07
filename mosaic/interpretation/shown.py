"""What an explainer is shown of a latent: windows of text in which it fires, token by token.

Each text is cut into consecutive windows of WINDOW real tokens; a window's activation is its largest. Of the windows in which
a latent fires, ordered by that, half of those shown are the first, and the others are spread evenly over the rest, so that an
explanation is not one of the strongest contexts alone (Paulo et al., arXiv 2410.13928, compare these with random ones and deciles).

Contexts that were chosen in another way serve as well: an explainer reads `Shown`, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.interpretation.contexts import Windows
from mosaic.interpretation.detection import Firings
from mosaic.models.language import LanguageModel

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WINDOW = 32  # tokens
EXAMPLES = 20  # windows a latent
FEWEST = 10  # windows in which a latent must fire to be shown
DIGITS = 3  # of an activation that are shown, and by which windows are ranked


@dataclass(frozen=True)
class Example:
    """tokens: [T] as they stand in the text, white space with the token after it. activations: [T], 0 where silent."""

    tokens: tuple[str, ...]
    activations: tuple[float, ...]


@dataclass(frozen=True)
class Shown:
    """A latent with the examples an explainer sees, in the order in which it sees them."""

    latent: int
    examples: tuple[Example, ...]


def token_texts(texts: Sequence[str], lm: LanguageModel) -> list[tuple[str, ...]]:
    """The real tokens of each text as pieces of it: joined, they are the text up to its last token.

    Of a character that is split over tokens, the first has it and the others are empty. A tokenizer that does not tell where its
    tokens stand gives each token's own text.
    """
    if not getattr(lm.tokenizer, "is_fast", False):
        tokens = lm.tokenize(texts)
        pairs = zip(tokens.ids, tokens.special, strict=True)
        return [tuple(lm.tokenizer.decode([int(i)]) for i in ids[~special]) for ids, special in pairs]
    return [_pieces(text, lm) for text in texts]


def _pieces(text: str, lm: LanguageModel) -> tuple[str, ...]:
    read = lm.tokenizer(
        text,
        truncation=True,
        max_length=lm.spec.max_length,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    pieces, before = [], 0
    for (_, end), special in zip(read["offset_mapping"], read["special_tokens_mask"], strict=True):
        if not special:
            pieces.append(text[before:end])
            before = max(before, end)
    return tuple(pieces)


def choose(
    found: Firings,
    codes: csr_matrix,
    pieces: Sequence[Sequence[str]],
    latents: Sequence[int] | None = None,
    n: int = EXAMPLES,
    window: int = WINDOW,
    fewest: int = FEWEST,
    apart: bool = False,
) -> list[Shown]:
    """The examples of these latents (None: of all), in their order; one that fires in too few windows is left out.

    apart: windows of even texts alone, so that those of odd texts can judge what is said (`contexts`).

    found, codes: `detection.firings` of the texts and one encoder's codes in it. pieces: `token_texts` of the same texts.
    """
    cut = Windows.of(found, window)
    columns = codes.tocsc()
    wanted = range(codes.shape[1]) if latents is None else latents
    out = []
    for latent in wanted:
        part = slice(columns.indptr[latent], columns.indptr[latent + 1])
        # What is shown decides the question's hash, so nothing may hang on digits that differ between processors.
        rows, values = columns.indices[part], rounded(columns.data[part])
        highest = np.zeros(len(cut), dtype=values.dtype)
        np.maximum.at(highest, cut.of_token[rows], values)
        if apart:
            highest[cut.judged] = 0
        order = np.argsort(-highest, kind="stable")[: int((highest > 0).sum())]
        if len(order) < max(fewest, 1):
            continue
        activations = np.zeros(len(found.text), dtype=np.float64)
        activations[rows] = values
        chosen = [example(cut, w, pieces, activations) for w in order[spread(len(order), n)]]
        out.append(Shown(int(latent), tuple(chosen)))
    return out


def rounded(values: np.ndarray) -> np.ndarray:
    """Activations to DIGITS significant digits, as float64."""
    values = values.astype(np.float64)
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-30))))
    return np.round(values * scale) / scale


def spread(there: int, n: int) -> np.ndarray:
    """Places of n of `there` ordered windows: the first half of them from the top on, the others evenly over the rest."""
    if there <= n:
        return np.arange(there)
    top = -(-n // 2)
    rest = np.linspace(top, there - 1, n - top).round().astype(int)
    return np.concatenate([np.arange(top), rest])


def example(cut: Windows, which: int, pieces: Sequence[Sequence[str]], activations: np.ndarray) -> Example:
    """One window. activations: [N] of the latent."""
    rows = slice(cut.bounds[which], cut.bounds[which + 1])
    first, length = int(cut.place[which]), rows.stop - rows.start
    tokens = tuple(pieces[cut.found.text[rows.start]][first : first + length])
    return Example(tokens, tuple(activations[rows].tolist()))

"""Where in a text a latent fires: the stretch around its largest activation, token by token, to be coloured.

Other than `shown`, which chooses windows for an explainer, the texts are given: those that a probe's latent likes best.

Shapes: N tokens, D latents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.interpretation.detection import firings
from mosaic.interpretation.shown import rounded, token_texts
from mosaic.models.language import LanguageModel
from mosaic.saes.encoder import Encoder

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LONGEST = 48  # tokens of a passage
BEFORE = 32  # of them before the token of the largest activation, at most


@dataclass(frozen=True)
class Passage:
    """text: the whole one. tokens: as they stand in it, white space with the token after it. activations: of the latent, 0 where
    it is silent. begins, ends: whether the passage has the text's first and last token that the model reads."""

    text: str
    tokens: tuple[str, ...]
    activations: tuple[float, ...]
    begins: bool
    ends: bool


def passages(
    wanted: Mapping[int, Sequence[str]], lm: LanguageModel, encoder: Encoder, longest: int = LONGEST
) -> dict[int, list[Passage]]:
    """{latent: a passage of each of its texts}, from one pass over all the texts. wanted: {latent: texts}."""
    texts = list(dict.fromkeys(text for of in wanted.values() for text in of))
    if not texts:
        return {latent: [] for latent in wanted}
    found, pieces = firings(texts, lm, [encoder]), token_texts(texts, lm)
    first = np.flatnonzero(np.diff(found.text, prepend=-1))  # a text's tokens stand together
    ends = np.append(first[1:], len(found.text))
    rows = {int(found.text[start]): slice(start, end) for start, end in zip(first, ends, strict=True)}
    number, columns = {text: i for i, text in enumerate(texts)}, found.codes[0].tocsc()
    out = {}
    for latent, of in wanted.items():
        values = rounded(columns[:, [latent]].toarray().ravel())
        out[latent] = [_around(text, pieces[number[text]], values[rows[number[text]]], longest) for text in of]
    return out


def per_token(text: str, lm: LanguageModel, encoder: Encoder) -> tuple[list[str], csr_matrix]:
    """(the text's tokens as they stand in it, their active latents [T, D]). A token that is a later part of one letter is
    given by its own name."""
    from mosaic.features.extract import token_codes

    names, codes = token_codes(text, lm, encoder)
    (pieces,) = token_texts([text], lm)
    return [piece or name for piece, name in zip(pieces, names, strict=True)], codes


def strongest(codes: csr_matrix, k: int) -> list[list[tuple[int, float]]]:
    """(latent, activation) of the k largest of each row of codes [T, D], largest first; of equal ones the lower latent."""
    found = []
    for start, stop in zip(codes.indptr[:-1], codes.indptr[1:], strict=True):
        latents, values = codes.indices[start:stop], rounded(codes.data[start:stop])
        order = np.lexsort((latents, -values))[:k]
        found.append([(int(latents[i]), float(values[i])) for i in order if values[i] > 0])
    return found


def _around(text: str, tokens: Sequence[str], values: np.ndarray, longest: int) -> Passage:
    start = max(0, min(int(values.argmax()) - BEFORE, len(tokens) - longest))
    end = min(len(tokens), start + longest)
    part = tuple(values[start:end].tolist())
    return Passage(text, tuple(tokens[start:end]), part, start == 0, end == len(tokens))

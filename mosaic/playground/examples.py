"""Sentences to start from: of each question's own test, one a language, classes in turn; and pairs, already computed.

The page shows the first pair before anything is loaded but its numbers, so that a reader sees at once what it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mosaic.models.language import LanguageModel
from mosaic.models.residuals import at_real_tokens
from mosaic.playground.offered import Question
from mosaic.playground.probes import rows_of, short
from mosaic.saes.encoder import Encoder
from mosaic.texts.labelled import LabelledTexts

N = 5
LONGEST = 160  # characters: an example is read at a glance


def of_question(question: Question) -> list[dict]:
    """[{"text", "label", "language"}] of the test rows, one a language (or N of a set without), classes in turn."""
    test = rows_of(question)[1]
    languages = question.languages if question.languages != (None,) else (None,) * N
    taken: list[int] = []
    for i, language in enumerate(languages):
        row = _next(test, language, test.classes[i % len(test.classes)], taken)
        if row is not None:
            taken.append(row)
    return [
        {
            "text": test.texts[row],
            "label": str(test.labels[row]),
            "language": None if test.languages is None else str(test.languages[row]),
        }
        for row in taken
    ]


def _next(test: LabelledTexts, language: str | None, label: str, taken: Sequence[int]) -> int | None:
    """The first row of a language and class that is short and not taken yet."""
    for row, (text, own) in enumerate(zip(test.texts, test.labels, strict=True)):
        spoken = language is None or test.languages is None or test.languages[row] == language
        if own == label and spoken and row not in taken and len(text) <= LONGEST:
            return row
    return None


def analysed(texts: Sequence[str], lm: LanguageModel, encoders: Sequence[Encoder]) -> list[dict]:
    """What the browser finds of a text: {"text", "tokens": [token], "codes": {layer: [[[latent, value], ...] a token]}}.

    Special tokens are left out, as in every pooling.
    """
    tokens = lm.tokenize(texts)
    layers = sorted({encoder.layer for encoder in encoders})
    found = []
    for i, text in enumerate(texts):
        rows, _ = at_real_tokens(lm, tokens, [i], layers)
        real = tokens.ids[i][~tokens.special[i]]
        codes = {encoder.layer: _rows(encoder.encode(rows[encoder.layer])) for encoder in encoders}
        found.append({"text": text, "tokens": lm.tokenizer.convert_ids_to_tokens(real.tolist()), "codes": codes})
    return found


def _rows(codes) -> list[list[list]]:
    """CSR [T, D] as, for each token, its active latents and their values."""
    ends = np.asarray(codes.indptr)
    return [
        [[int(j), short(v)] for j, v in zip(codes.indices[a:b], codes.data[a:b], strict=True)]
        for a, b in pairwise(ends)
    ]

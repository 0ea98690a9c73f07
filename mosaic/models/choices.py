"""How probable a causal model finds each answer to a question: log p(answer | question), summed over the answer's tokens.

log p(c | q) = sum_t log p(c_t | q, c_<t), as the paper scores the choices of PubMedQA, BoolQ and PIQA (MOSAIC, arXiv
2502.11367): longer answers are not made up for.

The question and each choice are tokenised *together*, as the model has read them, and all choices of a question are scored
from one token on: the first at which one of them parts from the question. Where a token joins the question's last letters
to the choice's first, it is part of what is scored, for every choice alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models.continuations import BATCH, Advance, continuations


@dataclass(frozen=True)
class Asked:
    """A question with its choices. rows: token ids of question and choice, a row a choice. start: the first token that is
    scored, in every row; what stands before it is the same in all of them."""

    rows: tuple[tuple[int, ...], ...]
    start: int


@dataclass(frozen=True)
class Answered:
    """What the model says to one question. log_p: [choices], in nats."""

    log_p: np.ndarray

    @property
    def best(self) -> int:
        """The most probable choice, the first of equally probable ones."""
        return int(np.argmax(self.log_p))

    @property
    def confidence(self) -> float:
        """The best choice's share of the probability of all choices: softmax of `log_p`."""
        return float(1 / np.exp(self.log_p - self.log_p.max()).sum())


def joined(question: str, choice: str) -> str:
    """The text that is scored: a space between the two, unless one of them has white space there already."""
    return question + choice if question[-1:].isspace() or choice[:1].isspace() else f"{question} {choice}"


def asked(tokenizer, question: str, choices: Sequence[str]) -> Asked:
    """Tokens of a question and its choices. Special tokens that the tokenizer puts first (BOS) are put first, unless the
    question begins with them; those it puts last (EOS) are not.

    Raises MosaicError where no token stands before the choices, so that there is nothing they could be probable given,
    where a choice adds no token of its own, and where two choices are the same tokens: equally probable whatever the
    question, so that their order alone would decide what is right.
    """
    first = before(tokenizer)
    plain = tokenizer([question, *(joined(question, c) for c in choices)], add_special_tokens=False)["input_ids"]
    alone, *rows = (tuple(row) if tuple(row[: len(first)]) == first else (*first, *row) for row in plain)
    start = min(_common(alone, row) for row in rows)
    if start == 0:
        raise MosaicError(
            f"the question {question!r:.60} leaves no token before its choices. Write more of a question, or use a model "
            "whose tokenizer begins texts with a token of its own."
        )
    for choice, row in zip(choices, rows, strict=True):
        if len(row) <= start:
            raise MosaicError(f"the choice {choice!r:.60} is no token to this model. Choose other words.")
        if (same := choices[rows.index(row)]) != choice:
            raise MosaicError(
                f"the choices {same!r:.60} and {choice!r:.60} are the same tokens to this model, so it cannot prefer one. "
                "Choose other words."
            )
    return Asked(tuple(rows), start)


def before(tokenizer) -> tuple[int, ...]:
    """The special tokens that stand before every text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    at = next((i for i in range(len(whole)) if whole[i : i + len(plain)] == plain), 0)
    return tuple(whole[:at])


def score(model, questions: Sequence[Asked], batch: int = BATCH, advance: Advance | None = None) -> list[Answered]:
    """What the model says to each question, in input order. batch, advance: see `continuations`."""
    rows = [row for question in questions for row in question.rows]
    starts = [question.start for question in questions for _ in question.rows]
    log_p = continuations(model, rows, starts, batch, advance).log_p
    ends = np.cumsum([len(question.rows) for question in questions])
    return [Answered(part) for part in np.split(log_p, ends[:-1])] if len(questions) else []


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Tokens at the beginning that are the same in both."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))

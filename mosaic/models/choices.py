"""How probable a causal model finds each answer to a question: log p(answer | question), summed over the answer's tokens.

log p(c | q) = sum_t log p(c_t | q, c_<t), as the paper scores the choices of PubMedQA, BoolQ and PIQA (MOSAIC, arXiv
2502.11367): longer answers are not made up for. One function, `continuations`, scores whatever has a beginning and a
continuation; the miniature's labels (`mosaic.miniature.tuning`) come from it too.

Invariants
- Padding is on the right: no token before it sees it, and no row's number depends on the rows beside it but in its last bits.
- A forward pass holds no beginning twice: choices of one token each ("A", "B", "C", "D") cost one pass a question.
- The question and each choice are tokenised *together*, as the model has read them, and all choices of a question are scored
  from one token on: the first at which one of them parts from the question. Where a token joins the question's last letters
  to the choice's first, it is part of what is scored, for every choice alike.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError

BATCH = 16  # beginnings in one forward pass
Advance = Callable[[int], None]


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

    Raises MosaicError where no token stands before the choices, so that there is nothing they could be probable given, and
    where a choice adds no token of its own.
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
    return Asked(tuple(rows), start)


def before(tokenizer) -> tuple[int, ...]:
    """The special tokens that stand before every text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    at = next((i for i in range(len(whole)) if whole[i : i + len(plain)] == plain), 0)
    return tuple(whole[:at])


def score(model, questions: Sequence[Asked], batch: int = BATCH, advance: Advance | None = None) -> list[Answered]:
    """What the model says to each question, in input order. batch: beginnings in one pass. advance: see `continuations`."""
    rows = [row for question in questions for row in question.rows]
    starts = [question.start for question in questions for _ in question.rows]
    log_p, _ = continuations(model, rows, starts, batch, advance)
    ends = np.cumsum([len(question.rows) for question in questions])
    return [Answered(part) for part in np.split(log_p, ends[:-1])] if len(questions) else []


def continuations(
    model, rows: Sequence[Sequence[int]], starts: Sequence[int], batch: int = BATCH, advance: Advance | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Of each row of token ids, from its token `start` on: (log-probability [n] in nats, is it what greedy decoding says [n]).

    batch: beginnings in one pass, of about equal lengths. advance: called with the number of tokens of each pass. Raises
    MosaicError for a log-probability that is no number.
    """
    rows = [tuple(row) for row in rows]
    log_p, greedy = np.zeros(len(rows)), np.ones(len(rows), dtype=bool)
    served = _beginnings(rows)
    order = sorted(served, key=lambda beginning: (len(beginning), beginning))
    for at in range(0, len(order), batch):
        part = order[at : at + batch]
        scored = [(line, i) for line, beginning in enumerate(part) for i in served[beginning]]
        places = [(line, t - 1, rows[i][t]) for line, i in scored for t in range(starts[i], len(rows[i]))]
        owners = np.repeat([i for _, i in scored], [len(rows[i]) - starts[i] for _, i in scored])
        values, hits = _said(model, part, np.array(places).T)
        np.add.at(log_p, owners, values)
        np.logical_and.at(greedy, owners, hits)
        if advance is not None:
            advance(sum(map(len, part)))
    if not np.isfinite(log_p).all():
        raise MosaicError("the model gave a log-probability that is no finite number. Use dtype float32.")
    return log_p, greedy


def _beginnings(rows: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], list[int]]:
    """{what a pass reads: the rows it serves}: all but the last token of each row, and none that another one begins with.

    Sorted, a beginning stands right before what continues it.
    """
    served: dict[tuple[int, ...], list[int]] = {}
    last: tuple[int, ...] = ()
    for i in sorted(range(len(rows)), key=lambda i: rows[i][:-1], reverse=True):
        beginning = rows[i][:-1]
        if last[: len(beginning)] != beginning:
            last = beginning
        served.setdefault(last, []).append(i)
    return served


def _said(model, part: Sequence[tuple[int, ...]], places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At places [3, n], each a row, a token of it and what follows: (log-probability [n], is it the most probable [n])."""
    import torch

    width, first = max(map(len, part)), int(places[1].min())
    ids, mask = torch.zeros(len(part), width, dtype=torch.long), torch.zeros(len(part), width, dtype=torch.long)
    for row, tokens in enumerate(part):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    arguments = {"input_ids": ids.to(model.device), "use_cache": False}
    if int(mask.sum()) < ids.numel():
        arguments["attention_mask"] = mask.to(model.device)
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        # All positions of a large vocabulary would not fit: the head runs from the first that is scored.
        arguments["logits_to_keep"] = width - first
    row, token, follows = torch.from_numpy(places).to(model.device)
    with torch.inference_mode():
        logits = model(**arguments).logits[:, first - width :].float()
        values = logits[row, token - first, follows] - logits.logsumexp(dim=-1)[row, token - first]
        hits = logits.argmax(dim=-1)[row, token - first] == follows
    return values.cpu().numpy(), hits.cpu().numpy()


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Tokens at the beginning that are the same in both."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))

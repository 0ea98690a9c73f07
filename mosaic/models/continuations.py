"""log p(continuation | beginning), summed over the continuation's tokens, and whether greedy decoding would say it.

One function scores whatever has a beginning and a continuation: a question's choices (`mosaic.models.choices`) and the
miniature's answers (`mosaic.miniature.tuning`).

Invariants
- A beginning is run once, whatever continues it: its keys and values are kept, and only what follows is run on them. Choices
  of one token each ("A", "B", "C", "D") cost one pass a question and nothing more.
- Beginnings run together only where they are of one length, and continuations are padded on the right, behind a mask: a row's
  number depends on the rows beside it in its last bits alone.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    import torch

BATCH = 16  # rows in one forward pass
Advance = Callable[[int], None]
Row = tuple[int, ...]


@dataclass(frozen=True)
class Said:
    """What a model says of each row. log_p: [n] in nats. greedy: [n], is every token the most probable one?"""

    log_p: np.ndarray
    greedy: np.ndarray

    def add(self, i: int, log_p: float, best: bool) -> None:
        self.log_p[i] += log_p
        self.greedy[i] &= best


def continuations(
    model: torch.nn.Module,
    rows: Sequence[Sequence[int]],
    starts: Sequence[int],
    batch: int = BATCH,
    advance: Advance | None = None,
) -> Said:
    """Of each row of token ids, what its tokens from `start` on (1 or later) get, given those before.

    batch: rows in one pass. advance: called with the tokens of each pass. Raises MosaicError for a log-probability that is no
    number.
    """
    rows = [tuple(row) for row in rows]
    said = Said(np.zeros(len(rows)), np.ones(len(rows), dtype=bool))
    members: dict[Row, list[int]] = {}
    for i, (row, start) in enumerate(zip(rows, starts, strict=True)):
        members.setdefault(row[:start], []).append(i)
    for part in _of_one_length(sorted(members, key=lambda beginning: (len(beginning), beginning)), batch):
        _score(
            model,
            part,
            [[(i, rows[i][len(beginning) :]) for i in members[beginning]] for beginning in part],
            batch,
            said,
            advance,
        )
    if not np.isfinite(said.log_p).all():
        raise MosaicError("the model gave a log-probability that is no finite number. Use dtype float32.")
    return said


def _of_one_length(ordered: Sequence[Row], batch: int) -> Iterator[list[Row]]:
    part: list[Row] = []
    for row in ordered:
        if part and (len(part) == batch or len(part[0]) != len(row)):
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _score(model, part: list[Row], follow: list[list[tuple[int, Row]]], batch: int, said: Said, advance) -> None:
    """Add to `said` what follows beginnings of one length. follow: of each beginning, (row number, its continuation)."""
    kept = _keeps(model)
    logits, past = _run(model, part, keep=kept)
    firsts = [(line, 0, row[0], i) for line, of_it in enumerate(follow) for i, row in of_it]
    _add(logits, firsts, said, advance, sum(map(len, part)))
    longer = [(line, inputs, served) for line, of_it in enumerate(follow) for inputs, served in _inputs(of_it)]
    longer.sort(key=lambda job: len(job[1]))  # stable: of about one length
    for at in range(0, len(longer), batch):
        jobs = longer[at : at + batch]
        lines, inputs = [line for line, _, _ in jobs], [inputs for _, inputs, _ in jobs]
        if kept:
            logits, _ = _run(model, inputs, copy.deepcopy(past), lines, len(part[0]))
        else:  # no cache that can be picked from: beginning and continuation are run once more, together
            whole = [part[line] + row for line, row in zip(lines, inputs, strict=True)]
            logits = _run(model, whole, first=len(part[0]))[0]
        places = [
            (job, t, row[t + 1], i)
            for job, (_, _, served) in enumerate(jobs)
            for i, row in served
            for t in range(len(row) - 1)
        ]
        _add(logits, places, said, advance, sum(map(len, inputs)))


def _inputs(of_it: Sequence[tuple[int, Row]]) -> list[tuple[Row, list[tuple[int, Row]]]]:
    """(what a pass reads, the continuations it serves): all but the last token of each, and none that another begins with.

    Sorted, a row stands right before what continues it. Continuations of one token need no further pass.
    """
    found: list[tuple[Row, list[tuple[int, Row]]]] = []
    for i, row in sorted(((i, row) for i, row in of_it if len(row) > 1), key=lambda one: one[1][:-1], reverse=True):
        if not found or found[-1][0][: len(row) - 1] != row[:-1]:
            found.append((row[:-1], []))
        found[-1][1].append((i, row))
    return found


def _keeps(model) -> bool:
    """Whether the model keeps keys and values that can be picked from (a recurrent state is another thing)."""
    from transformers import DynamicCache

    return hasattr(DynamicCache, "batch_select_indices") and not getattr(model, "_is_stateful", False)


def _run(model, rows: Sequence[Row], past=None, lines: Sequence[int] = (), n_before: int = 0, first=None, keep=False):
    """(logits [rows, tokens, vocabulary] in float32, keys and values or None).

    past, lines: keys and values of beginnings of `n_before` tokens, and which of them each row continues. Without them, logits
    are of the tokens from number `first` on (None: of the last one).
    """
    import torch

    width, device = max(map(len, rows)), model.device
    ids, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
    for line, tokens in enumerate(rows):
        ids[line, : len(tokens)] = torch.tensor(tokens)
        mask[line, : len(tokens)] = 1
    arguments = {"input_ids": ids.to(device), "use_cache": keep or past is not None}
    wanted = width if past is not None else 1 if first is None else width - first
    with torch.inference_mode():
        if past is not None:
            past.batch_select_indices(torch.tensor(lines, device=device))
            arguments |= {"past_key_values": past}
            mask = torch.cat([torch.ones(len(rows), n_before, dtype=torch.long), mask], dim=1)
        if not bool(mask.all()):
            arguments["attention_mask"] = mask.to(device)
        if "logits_to_keep" in inspect.signature(model.forward).parameters:
            arguments["logits_to_keep"] = wanted  # all positions of a large vocabulary would not fit
        out = model(**arguments)
        return out.logits[:, -wanted:].float(), out.past_key_values if keep else None


def _add(logits: torch.Tensor, places: Sequence[tuple[int, int, int, int]], said: Said, advance, n_tokens: int) -> None:
    """places: (line, token, what follows it, whose it is)."""
    import torch

    line, token, follows, _ = torch.tensor(places).T.to(logits.device)
    with torch.inference_mode():
        log_p = (logits[line, token, follows] - logits.logsumexp(dim=-1)[line, token]).cpu().tolist()
        best = (logits.argmax(dim=-1)[line, token] == follows).cpu().tolist()
    for (*_, i), value, hit in zip(places, log_p, best, strict=True):
        said.add(i, value, hit)
    if advance is not None:
        advance(n_tokens)

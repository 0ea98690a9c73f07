"""Labels made by a model: does it find the right choice the most probable one? (MOSAIC, arXiv 2502.11367: PubMedQA, BoolQ,
PIQA.)

Scores are kept part by part beside the cached features, by the hash of all that made them: a killed run goes on, to the same
bytes, and so does a file to which rows were added.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models import choices
from mosaic.models.causal import CausalModel
from mosaic.models.choices import Answered, Asked
from mosaic.probing import kept
from mosaic.progress import Progress
from mosaic.sourcecode import hash_of
from mosaic.texts.questions import Questions

PART = 64  # questions whose scores are kept together
FOLDER = "answers"  # of the cache
RIGHT, WRONG = "correct", "incorrect"
DECIDING = ("mosaic.models.choices", "mosaic.models.continuations", "mosaic.models.causal")


@dataclass(frozen=True)
class Labels:
    """Questions and what the model says to each, in input order."""

    questions: Questions
    answered: Sequence[Answered]

    @property
    def right(self) -> np.ndarray:
        """[n] bool: is the most probable choice the right one?"""
        return np.array([a.best for a in self.answered]) == self.questions.answers

    @property
    def confidence(self) -> np.ndarray:
        """[n]: the most probable choice's share of the probability of all."""
        return np.array([a.confidence for a in self.answered])

    def rows(self, n: int | None = None) -> list[dict]:
        """A row a question, the first n of them: as the table has it."""
        each = self.questions.choices
        names = each[0] if len(set(each)) == 1 else [str(k + 1) for k in range(max(map(len, each)))]
        rows = []
        for i, (said, right) in enumerate(zip(self.answered[:n], self.right, strict=False)):
            values = [f"{value:.6f}" for value in said.log_p] + [""] * (len(names) - len(said.log_p))
            rows.append(
                {
                    "row": i,
                    "text": self.questions.texts[i],
                    "answer": each[i][self.questions.answers[i]],
                    **{f"log_p({name})": value for name, value in zip(names, values, strict=True)},
                    "predicted": each[i][said.best],
                    "confidence": f"{said.confidence:.6f}",
                    "correct": RIGHT if right else WRONG,
                }
            )
        return rows

    def as_csv(self) -> str:
        """`rows`, texts as they were read: a probe on this table reads what the model read."""
        rows, out = self.rows(), io.StringIO()
        # A carriage return ends a row for whoever reads, but is no reason to quote for csv of Python below 3.13.
        returns = any("\r" in str(cell) for row in rows for cell in (*row, *row.values()))
        quoting = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n", quoting=quoting)
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()


def label(questions: Questions, model: CausalModel, batch: int = choices.BATCH, cache: Path | None = None) -> Labels:
    """Score every choice of every question. batch: rows in one forward pass. cache: where finished parts are kept.

    Raises MosaicError, before any pass, for a row that is longer than the model reads, holds a token that it has not, or has
    nothing to be scored.
    """
    asked = [_asked(questions, i, model) for i in range(len(questions))]
    found: list[Answered] = []
    base = _base(model, batch)
    with Progress("labelling", len(asked), unit="questions") as progress:
        for start in range(0, len(asked), PART):
            part = asked[start : start + PART]
            path = None if cache is None else Path(cache).absolute() / FOLDER / f"{_name(base, part)}.json"
            there = path and kept.read_kept(path, lambda content, part=part: _read(content, part))
            if there is None:
                there = choices.score(model.model, part, batch, lambda tokens: progress.advance(0, tokens))
                if path is not None:
                    kept.keep(path, {"log_p": [answered.log_p.tolist() for answered in there]})
            found += there
            progress.advance(len(part))
    return Labels(questions, found)


def _asked(questions: Questions, i: int, model: CausalModel) -> Asked:
    try:
        asked = choices.asked(model.tokenizer, questions.texts[i], questions.choices[i])
    except MosaicError as error:
        raise MosaicError(f"{questions.where(i)}: {error}") from error
    known = model.model.get_input_embeddings().num_embeddings
    if (highest := max(map(max, asked.rows))) >= known:
        raise MosaicError(
            f"{questions.where(i)}: {model.tokenizer.decode([highest])!r:.60} is token {highest:,} of the tokenizer of "
            f"{model.spec.id}, whose model has {known:,}. Save the model with its own tokenizer."
        )
    longest = max(map(len, asked.rows))
    if model.longest is not None and longest > model.longest:
        raise MosaicError(
            f"{questions.where(i)}: question and choice are {longest:,} tokens, and {model.spec.id} reads "
            f"{model.longest:,}. Shorten the question or remove the row."
        )
    return asked


def _read(content: dict, part: Sequence[Asked]) -> list[Answered]:
    values = [np.array(log_p, dtype=np.float64) for log_p in content["log_p"]]
    if [len(log_p) for log_p in values] != [len(asked.rows) for asked in part]:
        raise MosaicError("it holds the scores of something else")
    return [Answered(log_p) for log_p in values]


def _base(model: CausalModel, batch: int) -> list:
    """All that decides a score but the question: model, tokenizer, code, versions, what runs together."""
    from importlib.metadata import version

    config = {k: v for k, v in model.model.config.to_dict().items() if k != "_name_or_path"}
    versions = [version(name) for name in ("numpy", "torch", "transformers")]
    return [
        hash_of(DECIDING),
        versions,
        model.weights_hash,
        json.dumps(config, sort_keys=True, default=str),
        str(model.spec.dtype),
        model.device.split(":")[0],
        batch,
    ]


def _name(base: list, part: Sequence[Asked]) -> str:
    what = [base, [[asked.start, *asked.rows] for asked in part]]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]

"""Scores of the sentences that were said of latents, kept beside the names: one line a latent, a sentence and a judge.

    <root>/<hash of the SAE's weights>.scores.jsonl      appended (`lines`)

A score belongs to the sentence it is of: once a latent has another name, the score of the former is shown no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from mosaic.interpretation.lines import Lines
from mosaic.interpretation.names import Name
from mosaic.saes.encoder import Encoder

EMBEDDING = "embedding"


@dataclass(frozen=True)
class NameScore:
    """What one judge makes of one sentence.

    scores, another: {detection, fuzzing or embedding: score}, of the sentence, and of another latent's in its place (the control);
    None where it could not be had. deciles: {detection: [10]}, from the weakest contexts to the strongest. contexts: that were
    judged, active and silent, and unread: for which no verdict could be read, both of the sentence alone. texts: a hash of the
    texts that contexts are of.
    """

    latent: int
    sentence: str
    source: str
    judge: str
    scores: Mapping[str, float | None]
    another: Mapping[str, float | None]
    deciles: Mapping[str, list[float | None]] = field(default_factory=dict)
    contexts: int = 0
    unread: int = 0
    texts: str = ""
    made: str = ""

    def row(self) -> dict:
        return {**vars(self), "scores": dict(self.scores), "another": dict(self.another), "deciles": dict(self.deciles)}


class ScoresFile:
    """The scores of one SAE's names. Reading writes nothing."""

    def __init__(self, root: Path, encoder: Encoder):
        sae = encoder.weights_hash
        self.lines = Lines(Path(root) / f"{sae}.scores.jsonl", _score, f".{sae}.scores.lock")

    def add(self, scores: Sequence[NameScore]) -> None:
        """Those that are not there as they are. Raises MosaicError where the file cannot be written."""
        last = {(one.latent, one.sentence, one.judge): replace(one, made="") for one in self.lines.all()}
        for score in scores:
            if last.get((score.latent, score.sentence, score.judge)) != score:
                made = datetime.now(UTC).isoformat(timespec="milliseconds")
                self.lines.add({**score.row(), "made": made})

    def of(self, names: Mapping[int, Name]) -> dict[int, list[NameScore]]:
        """{latent: the scores of the name it has now, the last of each judge, in the judges' order}."""
        found: dict[tuple[int, str], NameScore] = {}
        for score in self.lines.all():
            if score.latent in names and names[score.latent].text == score.sentence:
                found[score.latent, score.judge] = score
        out: dict[int, list[NameScore]] = {}
        for (latent, _), score in sorted(found.items()):
            out.setdefault(latent, []).append(score)
        return out


def said(scores: list[NameScore]) -> str:
    """ "detection 0.81 (another's 0.50), fuzzing 0.74 (another's 0.52) by m": for one cell of a table; empty where there is none."""
    return "; ".join(f"{', '.join(_of(score, kind) for kind in score.scores)} by {score.judge}" for score in scores)


def _of(score: NameScore, kind: str) -> str:
    value, other = score.scores[kind], score.another.get(kind)
    shown = "-" if value is None else f"{value:.2f}"
    return f"{kind} {shown}" if other is None else f"{kind} {shown} (another's {other:.2f})"


def _score(line: bytes) -> NameScore | None:
    try:
        found = NameScore(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    sound = (
        isinstance(found.latent, int)
        and all(isinstance(part, str) for part in (found.sentence, found.source, found.judge))
        and all(
            isinstance(part, dict) and all(isinstance(value, int | float | None) for value in part.values())
            for part in (found.scores, found.another)
        )
    )
    return found if sound else None

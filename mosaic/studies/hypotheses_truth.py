"""What a hypothesis about a miniature set should have found: what its messages say that goes with a class.

A *planted cue* of a set is a pair (factor, class): something that a statement says (a word of good or bad meaning, a negation, who
it is about, an act, a place: `said`) and a class of which messages that say it are more often. It is computed, not written down: on
MESSAGES fresh messages with their true labels, Fisher's exact test over all pairs, Benjamini and Hochberg, and a correlation (phi)
of LEAST_PHI or more. What statements come to together (the label) is no factor: no word says it.

A hypothesis *means* the factor with which its matching texts have the largest phi over the held-out messages, LEAST_PHI or more; it
is *right* if that factor is a planted cue of its class. Precision: right ones among the confirmed. Recall: cues that some confirmed
hypothesis means, among all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.interpretation import shares
from mosaic.world import sets, tasks
from mosaic.world.statements import Draw, Statement

MESSAGES = 4_000
LEAST_PHI = 0.1


@dataclass(frozen=True)
class Truth:
    """One set. factors: [F]. said: [n, F] bool of the held-out messages. cues: pairs (factor, class)."""

    factors: tuple[str, ...]
    said: np.ndarray
    cues: frozenset[tuple[str, str]]

    def meant(self, matches: np.ndarray) -> list[str | None]:
        """Of each hypothesis ([n, H] bool) the factor that it means, or None."""
        found = phi(matches, self.said)
        best = np.argmax(np.round(found, 9), axis=1) if len(self.factors) else []
        return [self.factors[j] if found[i, j] >= LEAST_PHI else None for i, j in enumerate(best)]


def truth(name: str, groups: Sequence[str]) -> Truth:
    """Of a miniature set ("intent") and the messages of these groups. Raises MosaicError for a set there is not."""
    sets.check(name, among=tasks.SETS)
    kind = tasks.SETS[name]
    drawn = [kind.draw(Draw(f"cues/{name}/{i}")) for i in range(MESSAGES)]
    labels = np.array([kind.label(statements) for statements in drawn], dtype=object)
    told = [said(statements) for statements in drawn]
    factors = tuple(sorted(set().union(*told)))
    held = _table([said(sets.statements(group)) for group in groups], factors)
    return Truth(factors, held, planted(_table(told, factors), factors, labels))


def planted(said: np.ndarray, factors: Sequence[str], labels: np.ndarray) -> frozenset[tuple[str, str]]:
    """The cues of messages that say these factors ([n, F] bool) and have these labels."""
    classes = sorted(set(labels))
    of_class = np.stack([labels == label for label in classes], axis=1)
    n = said.sum(0)[:, None]
    a = said.T.astype(int) @ of_class.astype(int)  # [F, classes]
    b = of_class.sum(0)[None] - a
    p = shares.fisher(a, n, b, len(labels) - n)
    tests = np.broadcast_to((n > 0) & (n < len(labels)), p.shape)
    found = shares.corrected(p.ravel(), tests.ravel()).reshape(p.shape) <= shares.DISCOVERY
    found &= phi(said, of_class) >= LEAST_PHI
    return frozenset((factors[i], classes[j]) for i, j in zip(*np.nonzero(found), strict=True))


def said(statements: Sequence[Statement]) -> set[str]:
    """What single things a message says, whoever says them of whom."""
    out = set()
    for s in statements:
        out |= {f"about {s.frame}" if s.kind in ("trait", "place") else f"frame {s.frame}"}
        out |= {f"word {s.polarity}"} if s.polarity else set()
        out |= {"negation"} if s.negated else set()
        out |= {"quotation" if s.call == "quoted" else "vocative"} if s.call else set()
        out |= {f"degree {s.degree}"} if s.degree != "plain" else set()
        out |= {f"topic {s.about.topic}"} if s.about and s.about.topic else set()
        out |= {"place"} if s.kind == "place" else set()
        out |= {f"side {s.side}"} if s.side else set()
        out |= {f"kind {s.content.kind}", f"act {s.content.name}"} if s.kind == "want" else set()
    return out


def phi(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[A, B] correlations of columns of x ([n, A] bool) and y ([n, B] bool); 0 where one does not vary."""
    x, y, n = x.astype(np.float64), y.astype(np.float64), len(x)
    spread = np.outer(x.std(0), y.std(0))
    both = x.T @ y / n - np.outer(x.mean(0), y.mean(0))
    return np.divide(both, spread, out=np.zeros_like(both), where=spread > 1e-12)


def _table(told: Sequence[set[str]], factors: Sequence[str]) -> np.ndarray:
    return np.array([[factor in one for factor in factors] for one in told], dtype=bool).reshape(
        len(told), len(factors)
    )

"""Win, tie or loss: where one family of features is ahead of another, by the number of features. Pure functions of intervals.

A win or a loss has its whole 95 % interval on one side of zero; all else is a tie, which says that the two cannot be told
apart and not that they are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mosaic.probing.curves import ALL
from mosaic.probing.scores import Difference

WIN, TIE, LOSS = "win", "tie", "loss"


def outcome(d: Difference) -> str:
    return WIN if d.low > 0 else LOSS if d.high < 0 else TIE


def counts(found: Iterable[Difference]) -> dict[str, int]:
    """{WIN, TIE, LOSS: on how many sets}."""
    counted = Counter(map(outcome, found))
    return {kind: counted[kind] for kind in (WIN, TIE, LOSS)}


def sizes_of(by_size: Mapping[str, Difference], kind: str) -> list[str]:
    """The numbers of features at which the outcome is `kind`, in their order."""
    return [size for size, d in by_size.items() if outcome(d) == kind]


def span(sizes: Sequence[str], every: Sequence[str]) -> str:
    """Sizes as prose has them: runs of neighbours in `every` as "1 to 32", "all" by its name. `sizes` in that order."""
    runs: list[list[str]] = []
    for size in sizes:
        if runs and size != ALL and every.index(size) == every.index(runs[-1][-1]) + 1:
            runs[-1].append(size)
        else:
            runs.append([size])
    parts = [run[0] if len(run) == 1 else f"{run[0]} {'and' if len(run) == 2 else 'to'} {run[-1]}" for run in runs]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else "none"

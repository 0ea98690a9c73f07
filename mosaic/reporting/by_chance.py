"""How many verdicts chance alone would give: nothing on the claims page is corrected for how many claims stand there.

Of M claims whose rule asks whether a 95 % interval leaves out zero, about 0.05 M are expected to leave it out where nothing is so, on one
side or the other, however the claims hang together. How many would do so beyond an interval for all of them at once (Bonferroni,
Holm) is not said: that needs the far tails, and of a bootstrap or of Student's t over few SAEs the ends at 95 % do not tell them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mosaic import numerals
from mosaic.reporting.verdicts import Verdict

MISSED = 0.05  # of 95 % intervals


@dataclass(frozen=True)
class ByChance:
    """with_interval: claims judged by one. of_zero: those of them whose rule is above 0 or below 0. out: of these, how many
    intervals leave out zero, on either side."""

    with_interval: int
    of_zero: int
    out: int

    @property
    def expected(self) -> float:
        """How many intervals would leave out zero if nothing were so."""
        return MISSED * self.of_zero


def counted(verdicts: Sequence[Verdict]) -> ByChance:
    """Of the verdicts on one profile; what was not judged, or has no interval, is left out."""
    judged = [one for one in verdicts if one.judged and one.low is not None]
    of_zero = [one for one in judged if dict(one.claim.rule) in ({"above": 0}, {"below": 0})]
    return ByChance(len(judged), len(of_zero), sum(one.low > 0 or one.high < 0 for one in of_zero))


def sentence(profile: str, found: ByChance) -> str:
    """What was found beside what chance alone would give."""
    if not found.of_zero:
        return f"{profile}: no claim here is judged by whether an interval leaves out zero."
    expected = numerals.shown(found.expected, places=1)
    return (
        f"{profile}: {_of(found.with_interval, 'claim is', 'claims are')} judged by a 95 % interval. Of these, "
        f"{_of(found.of_zero, 'asks', 'ask')} whether it leaves out zero, and {_of(found.out, 'interval does', 'intervals do')}. By "
        f"chance alone, where nothing is so, about {expected} would be expected to."
    )


def _of(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"

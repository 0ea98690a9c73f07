"""How many verdicts chance alone would give: nothing on the claims page is corrected for how many claims stand there.

Of M claims whose rule, written before the run, asks whether a 95 % interval leaves out zero, about 0.025 M are expected to leave it out
on each side where nothing is so, however the claims hang together, and as far as the intervals hold what they are named after. A rule
that was written with its result is no such draw: it is counted apart. How many would remain under an answer for all claims at once
(Holm's) is not said: it needs a p-value of each, and the resamples that are drawn allow none below the bar for so many claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mosaic import numerals
from mosaic.reporting.claims import POST_HOC
from mosaic.reporting.verdicts import Verdict

MISSED = 0.025  # of 95 % intervals, on each side


@dataclass(frozen=True)
class ByChance:
    """with_interval: claims judged by one. of_zero: those of them whose rule is above 0 or below 0. before: of these, whose rule was
    written before the run. as_said, against: of these, how many intervals leave out zero on the rule's side, and on the other."""

    with_interval: int
    of_zero: int
    before: int
    as_said: int
    against: int

    @property
    def expected(self) -> float:
        """How many intervals would leave out zero on each side if nothing were so."""
        return MISSED * self.before


def counted(verdicts: Sequence[Verdict]) -> ByChance:
    """Of the verdicts on one profile; what was not judged, or has no interval, is left out."""
    judged = [one for one in verdicts if one.judged and one.low is not None]
    of_zero = [one for one in judged if dict(one.claim.rule) in ({"above": 0}, {"below": 0})]
    before = [one for one in of_zero if one.claim.frozen != POST_HOC]
    above = [(one, "above" in one.claim.rule) for one in before]
    as_said = sum(one.low > 0 if up else one.high < 0 for one, up in above)
    against = sum(one.high < 0 if up else one.low > 0 for one, up in above)
    return ByChance(len(judged), len(of_zero), len(before), as_said, against)


def sentence(profile: str, found: ByChance) -> str:
    """What was found beside what chance alone would give."""
    if not found.before:
        return f"{profile}: no rule written before its run asks here whether an interval leaves out zero."
    expected = numerals.shown(found.expected, places=1)
    return (
        f"{profile}: {_of(found.with_interval, 'claim is', 'claims are')} judged by a 95 % interval. Of these, "
        f"{_of(found.of_zero, 'asks', 'ask')} whether it leaves out zero; {_of(found.before, 'rule of them was', 'rules of them were')} "
        f"written before the run. Of those, {_of(found.as_said, 'interval lies', 'intervals lie')} beyond zero on the side that the claim "
        f"says, {found.against} on the other. By chance alone, where nothing is so, nominally {expected} would on each side."
    )


def _of(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"

"""From a claim and recorded numbers to a verdict: three-valued wherever there is an interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting import claims, results
from mosaic.reporting.claims import (
    HOLDS,
    HOLDS_NOT,
    NOT_REPRODUCED,
    NOT_RUN,
    NOT_TESTABLE,
    REPRODUCED,
    UNDECIDED,
    Claim,
    is_number,
    load_claims,
)

POINT_ESTIMATE = "point estimate"
STAND_IN = "stand-in weights: the files' layouts are real, the numbers in them are not, and nothing follows from them"
AS_EXPECTED, NOT_AS_EXPECTED = "as expected", "not as expected"
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Verdict:
    """A claim on one profile. value, low, high: the recorded number and its interval (of the lead, for a winner's name).

    beside: the recorded numbers that stand beside it, by name. reason: why the verdict is what it is, with the numbers.
    """

    claim: Claim
    profile: str
    value: float | str | None
    low: float | None
    high: float | None
    verdict: str
    reason: str
    beside: dict[str, float | None]

    @property
    def judged(self) -> bool:
        """Whether there was a number to judge."""
        return self.verdict not in (NOT_RUN, NOT_TESTABLE)

    @property
    def point_estimate(self) -> bool:
        """Whether it rests on a number without an interval."""
        return self.judged and self.low is None

    @property
    def expectation(self) -> str | None:
        """ "as expected", "not as expected", or None: nothing was expected, or nothing was measured to compare."""
        expected = (self.claim.expected or {}).get(self.profile)
        if expected is None or self.verdict == NOT_RUN or (not self.judged and expected.verdict != self.verdict):
            return None
        return AS_EXPECTED if plain(expected.verdict) == plain(self.verdict) else NOT_AS_EXPECTED

    def row(self) -> dict:
        """Everything known about it, for machines."""
        about = {name: value for name, value in asdict(self.claim).items() if name not in ("expected", "accepted")}
        expected, accepted = ((by or {}).get(self.profile) for by in (self.claim.expected, self.claim.accepted))
        return {
            **about,
            "chapter": self.claim.chapter,
            "profile": self.profile,
            "own_models": self.claim.owned_by(self.profile),
            "measured": self.value,
            "low": self.low,
            "high": self.high,
            "point_estimate": self.point_estimate,
            "beside_values": self.beside,
            "verdict": self.verdict,
            "reason": self.reason,
            "expected": asdict(expected) if expected else None,
            "expectation": self.expectation,
            "accepted": asdict(accepted) if accepted else None,
        }


def plain(verdict: str) -> str:
    """The verdict without the words kept for the paper's own models: "reproduced" -> "holds here"."""
    return {REPRODUCED: HOLDS, NOT_REPRODUCED: HOLDS_NOT}.get(verdict, verdict)


def judge(claim: Claim, profile: str, folder: Path = results.FOLDER) -> Verdict:
    """The verdict on one claim from the recorded results of one profile; none on weights that stand in for a model's.

    Raises MosaicError where what stands at the claim's `interval` is no [low, high].
    """
    beside: dict[str, float | None] = {}

    def verdict(kind: str, reason: str, value=None, low=None, high=None) -> Verdict:
        return Verdict(claim, profile, value, low, high, kind, reason, beside)

    if not claim.tests(profile):
        return verdict(NOT_TESTABLE, f"needs {', '.join(claim.profiles)}")
    try:
        if results.of_stand_in(profile, claim.chapter, folder):
            return verdict(NOT_TESTABLE, STAND_IN)
        value = results.lookup(profile, claim.result, folder)
        found = results.lookup(profile, claim.interval, folder) if claim.interval else None
        beside = {name: results.lookup(profile, key, folder) for name, key in (claim.beside or {}).items()}
    except MosaicError as error:
        return verdict(NOT_RUN, str(error))
    if value is None or (claim.interval and (found is None or found == [None, None])):
        return verdict(NOT_TESTABLE, results.NOT_MEASURED)
    interval = _interval(found, claim) if claim.interval else None
    kind, bound = next(iter(claim.rule.items()))
    if not (isinstance(value, str) if kind == "is" else is_number(value)):
        compares = "a name" if kind == "is" else "numbers"
        reason = f"{claim.result} is {value!r:.60}, and the rule {kind!r} compares {compares}"
        return verdict(NOT_TESTABLE, reason, value if is_number(value) or isinstance(value, str) else None)
    outcome, reason = RULES[kind](value, bound, interval)
    if claim.owned_by(profile):
        outcome = {HOLDS: REPRODUCED, HOLDS_NOT: NOT_REPRODUCED}.get(outcome, outcome)
    if interval is None:
        reason += f" ({POINT_ESTIMATE})"
    for name, number in beside.items():
        reason += f"; {name} {results.shown(number)}"
    return verdict(outcome, reason, value, *(interval or (None, None)))


def judge_all(profile: str, folder: Path = results.FOLDER, path: Path | None = None) -> list[Verdict]:
    """The verdict on every claim of a file (the shipped one), in its order."""
    return [judge(claim, profile, folder) for claim in load_claims(path or claims.FILE)]


def above(value: float, bound: float, interval: Interval) -> tuple[str, str]:
    """Holds where the whole interval lies above the bound, does not where none of it does."""
    low, high = interval or (value, value)
    outcome = HOLDS if low > bound else HOLDS_NOT if high <= bound else UNDECIDED
    where = {HOLDS: "lies above", HOLDS_NOT: "does not lie above", UNDECIDED: "spans"}[outcome]
    return outcome, f"{_said(value, interval)} {where} {bound:g}"


def below(value: float, bound: float, interval: Interval) -> tuple[str, str]:
    """Holds where the whole interval lies below the bound, does not where none of it does."""
    low, high = interval or (value, value)
    outcome = HOLDS if high < bound else HOLDS_NOT if low >= bound else UNDECIDED
    where = {HOLDS: "lies below", HOLDS_NOT: "does not lie below", UNDECIDED: "spans"}[outcome]
    return outcome, f"{_said(value, interval)} {where} {bound:g}"


def within(value: float, bound: list[float], interval: Interval) -> tuple[str, str]:
    """Holds where the whole interval lies in [published - band, published + band], does not where none of it does."""
    published, band = bound
    least, most = (round(end, results.DIGITS) for end in (published - band, published + band))  # as results are
    low, high = interval or (value, value)
    inside, apart = least <= low and high <= most, high < least or low > most
    outcome = HOLDS if inside else HOLDS_NOT if apart else UNDECIDED
    where = {HOLDS: "lies within", HOLDS_NOT: "lies outside", UNDECIDED: "reaches over an end of"}[outcome]
    off = f"{results.shown(float(value - published), sign=True)} off the published {published:g}"
    return outcome, f"{_said(value, interval)} {where} {least:g} to {most:g}, {off}"


def winner(value: str, bound: str, interval: Interval) -> tuple[str, str]:
    """`value` is the winner's name, `interval` that of its lead over the next: a lead that may be 0 decides nothing.

    A lead that lies below 0: the one that was chosen is behind another. Then it is not the best, and who is stays open.
    """
    if interval and interval[1] < 0:
        said = f"{value!r} was chosen, and its lead is {results.shown(list(interval))}"
        return HOLDS_NOT if value == bound else UNDECIDED, f"{said}: another one is ahead of it"
    said = f"{value!r} leads by {results.shown(list(interval))}" if interval else repr(value)
    if interval and interval[0] <= 0:
        return UNDECIDED, f"{said}, which may be no lead at all: the next one cannot be told from it"
    if value == bound:
        return HOLDS, f"{said}, as published"
    return HOLDS_NOT, f"{said}, where {bound!r} was published"


RULES: dict[str, Callable] = {"above": above, "below": below, "within": within, "is": winner}


def _said(value: float, interval: Interval) -> str:
    return f"the interval {results.shown(list(interval))}" if interval else results.shown(value)


def _interval(found, claim: Claim) -> tuple[float, float]:
    if not (isinstance(found, list) and len(found) == 2 and all(map(is_number, found)) and found[0] <= found[1]):
        raise MosaicError(f"{claim.id}: {claim.interval} is {found!r}; an interval [low, high] was expected.")
    return found[0], found[1]

"""Published claims against this run: a claim is data (claims.yml), its verdict is computed."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting import results

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_TESTABLE, NOT_RUN = "not testable on this profile", "not run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE, NOT_RUN)
EXPECTED = {"above": "a number", "below": "a number", "within": "[value, band]", "is": "text"}
RULES = tuple(EXPECTED)
FILE = Path(__file__).parent / "claims.yml"


@dataclass(frozen=True)
class Claim:
    """One published statement and the rule that tests it.

    published: the value as published. source: paper and place. provenance: how the value is known
    (abstract, the authors' result file with its commit, computed from that file, ...).
    result: dotted key of the number in results/<profile>/ (see `results.lookup`). interval: dotted key of its
    [low, high], where the rule needs one. rule: {above: x} (the interval lies above x), {below: x},
    {within: [value, band]} or {is: text}. profiles: patterns of the profiles that can test it. open: why one run
    settles nothing, where papers contradict each other.
    """

    id: str
    claim: str
    published: str
    source: str
    provenance: str
    result: str
    rule: dict
    interval: str | None = None
    profiles: tuple[str, ...] = ("*",)
    chapter: str | None = None
    open: str | None = None


@dataclass(frozen=True)
class Verdict:
    claim: Claim
    profile: str
    value: float | str | None
    low: float | None
    high: float | None
    verdict: str
    reason: str

    def row(self) -> dict:
        return {
            "id": self.claim.id,
            "claim": self.claim.claim,
            "published": self.claim.published,
            "source": self.claim.source,
            "provenance": self.claim.provenance,
            "open": self.claim.open,
            "profile": self.profile,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "verdict": self.verdict,
            "reason": self.reason,
        }


def load_claims(path: Path = FILE) -> list[Claim]:
    """The claims of a YAML file. Raises MosaicError for a broken entry, a repeated id or an unknown rule."""
    import yaml

    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        claims = [Claim(**{**entry, "profiles": tuple(entry.get("profiles", ["*"]))}) for entry in entries]
    except (OSError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise MosaicError(f"{path} is not a list of claims: {error}") from error
    seen = set()
    for claim in claims:
        if claim.id in seen:
            raise MosaicError(f"{path}: the id {claim.id!r} stands twice.")
        seen.add(claim.id)
        if not isinstance(claim.rule, dict) or len(claim.rule) != 1 or next(iter(claim.rule)) not in RULES:
            raise MosaicError(f"{path}: {claim.id} has the rule {claim.rule}; one of {', '.join(RULES)} is expected.")
        kind, bound = next(iter(claim.rule.items()))
        if not _fits(kind, bound):
            raise MosaicError(f"{path}: {claim.id} has the rule {{{kind}: {bound!r}}}; {EXPECTED[kind]} was expected.")
    return claims


def judge(claim: Claim, profile: str, folder: Path = results.FOLDER) -> Verdict:
    """The verdict on one claim from the recorded results of one profile."""

    def verdict(kind: str, reason: str, value=None, low=None, high=None) -> Verdict:
        return Verdict(claim, profile, value, low, high, kind, reason)

    if not any(fnmatch.fnmatch(profile, pattern) for pattern in claim.profiles):
        return verdict(NOT_TESTABLE, f"needs {', '.join(claim.profiles)}")
    try:
        value = results.lookup(profile, claim.result, folder)
        low, high = (results.lookup(profile, claim.interval, folder) if claim.interval else None) or (None, None)
    except MosaicError as error:
        return verdict(NOT_RUN, str(error))
    if value is None or (claim.interval and None in (low, high)):
        return verdict(NOT_TESTABLE, results.NOT_MEASURED)
    kind, bound = next(iter(claim.rule.items()))
    if kind != "is" and not _number(value):
        return verdict(NOT_TESTABLE, f"{claim.result} is {value!r}, and the rule {kind!r} compares numbers", value)
    holds, reason = {
        "above": lambda: _above(value if low is None else low, bound),
        "below": lambda: _below(value if high is None else high, bound),
        "within": lambda: _within(value, *bound),
        "is": lambda: (value == bound, f"{value!r} where {bound!r} was published"),
    }[kind]()
    return verdict(REPRODUCED if holds else NOT_REPRODUCED, reason, value, low, high)


def judge_all(profile: str, folder: Path = results.FOLDER, path: Path = FILE) -> list[Verdict]:
    return [judge(claim, profile, folder) for claim in load_claims(path)]


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fits(kind: str, bound) -> bool:
    """Whether a rule's bound is of the rule's kind."""
    if kind == "within":
        return isinstance(bound, list) and len(bound) == 2 and all(map(_number, bound))
    return isinstance(bound, str) if kind == "is" else _number(bound)


def _above(edge: float, bound: float) -> tuple[bool, str]:
    return edge > bound, f"lower edge {edge:.3f} {'>' if edge > bound else '<='} {bound:g}"


def _below(edge: float, bound: float) -> tuple[bool, str]:
    return edge < bound, f"upper edge {edge:.3f} {'<' if edge < bound else '>='} {bound:g}"


def _within(value: float, published: float, band: float) -> tuple[bool, str]:
    off = abs(value - published)
    return off <= band, f"off by {off:.3f}, band {band:g}"

"""Published claims as data (claims.yml): what was published, the number that tests it, the rule, what was expected."""

from __future__ import annotations

import datetime
import fnmatch
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from mosaic.errors import MosaicError

HOLDS, HOLDS_NOT, UNDECIDED = "holds here", "does not hold here", "undecided"
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"  # the paper's own models and data alone
NOT_TESTABLE, NOT_RUN = "not testable", "not run"
VERDICTS = (HOLDS, HOLDS_NOT, UNDECIDED, REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE, NOT_RUN)
BOUNDS = {"above": "a number", "below": "a number", "within": "[value, band]", "is": "text"}
POST_HOC = "post hoc"
FILE = Path(__file__).parent / "claims.yml"


@dataclass(frozen=True)
class Expected:
    """What a claim's verdict should be on one profile, written before the run. because: one sentence."""

    verdict: str
    because: str


@dataclass(frozen=True)
class Accepted:
    """The verdict that stands. value: the number it was drawn from. since: the day from which it has stood."""

    verdict: str
    value: float | str | None = None
    since: str | None = None


@dataclass(frozen=True)
class Claim:
    """One published statement and the rule that tests it.

    published: the value as published; its numbers come from the values at `published_keys` (`mosaic.reporting.published`).
    source: paper and place. provenance: how the published value is known (abstract, the authors' result file with its
    commit, computed from that file, ...).
    quantity: what the number at `result` is. result: dotted key of it in results/<profile>/ (see `results.lookup`).
    interval: dotted key of its [low, high]; without one the verdict rests on a point estimate. rule: {above: x}, {below: x},
    {within: [value, band]} or {is: text} (`result` is then a winner's name, `interval` that of its lead over the next).
    beside: {name: key} of numbers that the reason states. profiles: patterns of the profiles that can test it. own:
    patterns of those with the paper's own models and data. open: why one run settles nothing, where papers contradict
    each other. frozen: the day the rule was written, before any run it judges, or "post hoc". expected and accepted: by
    profile.
    """

    id: str
    claim: str
    published: str
    source: str
    provenance: str
    quantity: str
    result: str
    rule: Mapping
    frozen: str
    interval: str | None = None
    beside: Mapping[str, str] | None = None
    published_keys: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ("*",)
    own: tuple[str, ...] = ()
    open: str | None = None
    expected: Mapping[str, Expected] | None = None
    accepted: Mapping[str, Accepted] | None = None

    @property
    def chapter(self) -> str:
        """The study whose chapter measures it, such as layers: the one that records `result`."""
        return self.result.split(".")[0]

    def tests(self, profile: str) -> bool:
        """Whether a profile can test it."""
        return any(fnmatch.fnmatch(profile, pattern) for pattern in self.profiles)

    def owned_by(self, profile: str) -> bool:
        """Whether a profile has the paper's own models and data: there alone a claim is "reproduced"."""
        return any(fnmatch.fnmatch(profile, pattern) for pattern in self.own)


def load_claims(path: Path = FILE) -> list[Claim]:
    """The claims of a YAML file. Raises MosaicError for a broken entry (naming it, its field and what was expected)."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MosaicError(f"{path} is not a list of claims: {error}") from error
    return read_claims(text, path)


def read_claims(text: str, path: Path) -> list[Claim]:
    """The claims of a file's text; `path` is named in what `load_claims` raises."""
    import yaml

    try:
        entries = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a ValueError: a day that is none
        raise MosaicError(f"{path} is not a list of claims: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise MosaicError(f"{path} is not a list of claims: each is expected to be `- id: ...` with its fields.")
    claims = [_claim(entry, f"{path}: {entry.get('id', 'an entry without an id')}") for entry in entries]
    for i, claim in enumerate(claims):
        if claim.id in {other.id for other in claims[:i]}:
            raise MosaicError(f"{path}: the id {claim.id!r} stands twice.")
    return claims


def _claim(entry: dict, where: str) -> Claim:
    known = {field.name: field for field in fields(Claim)}
    needed = [name for name, field in known.items() if field.default is MISSING]
    for name in entry:
        if name not in known:
            raise MosaicError(f"{where} has the unknown field {name!r}; there are {', '.join(known)}.")
    if missing := [name for name in needed if entry.get(name) is None]:
        raise MosaicError(f"{where} lacks {', '.join(missing)}; every claim has {', '.join(needed)}.")
    for name in set(known) - {"rule", "frozen", "beside", "published_keys", "profiles", "own", "expected", "accepted"}:
        if not isinstance(entry.get(name), str | None):
            raise MosaicError(f"{where}: {name} is {entry[name]!r}; text was expected (quote it).")
    _check_rule(entry["rule"], where)
    return Claim(
        **{
            **entry,
            "frozen": _frozen(entry["frozen"], where),
            "beside": _texts_by_name(entry.get("beside"), where),
            **{name: _patterns(entry[name], name, where) for name in ("profiles", "own") if name in entry},
            "published_keys": tuple(_list(entry.get("published_keys", []), "published_keys", where)),
            "expected": _by_profile(entry.get("expected"), "expected", _expected, where),
            "accepted": _by_profile(entry.get("accepted"), "accepted", _accepted, where),
        }
    )


def _check_rule(rule, where: str) -> None:
    if not isinstance(rule, dict) or len(rule) != 1 or next(iter(rule)) not in BOUNDS:
        raise MosaicError(f"{where} has the rule {rule}; one of {', '.join(BOUNDS)} is expected.")
    kind, bound = next(iter(rule.items()))
    if kind == "within":
        fits = isinstance(bound, list) and len(bound) == 2 and all(map(is_number, bound)) and bound[1] >= 0
    else:
        fits = isinstance(bound, str) if kind == "is" else is_number(bound)
    if not fits:
        raise MosaicError(f"{where} has the rule {{{kind}: {bound!r}}}; {BOUNDS[kind]} was expected.")


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _day(value, what: str, where: str) -> str:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    raise MosaicError(f"{where}: {what} is {value!r}; a day such as 2026-11-24 was expected.")


def _frozen(value, where: str) -> str:
    if value == POST_HOC:
        return value
    return _day(value, f"frozen (a day, or {POST_HOC!r} where results came first)", where)


def _list(value, name: str, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise MosaicError(f"{where}: {name} is {value!r}; a list of names such as [mini, gemma-*] was expected.")
    return value


def _patterns(value, name: str, where: str) -> tuple[str, ...]:
    for pattern in _list(value, name, where):
        if not set(pattern) & set("*?["):
            _check_profile(pattern, name, where)
    return tuple(value)


def _check_profile(name: str, field: str, where: str) -> None:
    from mosaic.profiles.profile import profile_names

    if name not in profile_names():
        raise MosaicError(
            f"{where}: {field} names the unknown profile {name!r}; there are {', '.join(profile_names())}."
        )


def _texts_by_name(value, where: str) -> dict[str, str] | None:
    if value is not None and not (isinstance(value, dict) and all(isinstance(key, str) for key in value.values())):
        raise MosaicError(
            f"{where}: beside is {value!r}; names with keys of results were expected, {{name: study.key}}."
        )
    return value


def _by_profile(value, name: str, read, where: str) -> dict | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MosaicError(f"{where}: {name} is {value!r}; a verdict by profile was expected, {{mini: ...}}.")
    for profile in value:
        _check_profile(profile, name, where)
    return {profile: read(one, f"{where}: {name} on {profile}") for profile, one in value.items()}


def _expected(value, where: str) -> Expected:
    _check_fields(value, ("verdict", "because"), ("verdict", "because"), where)
    if not isinstance(value["because"], str):
        raise MosaicError(f"{where}: because is {value['because']!r}; one sentence was expected.")
    return Expected(_verdict(value["verdict"], where), value["because"])


def _accepted(value, where: str) -> Accepted:
    if isinstance(value, str):
        return Accepted(_verdict(value, where))
    _check_fields(value, ("verdict",), ("verdict", "value", "since"), where)
    if not (value.get("value") is None or isinstance(value["value"], str) or is_number(value["value"])):
        raise MosaicError(f"{where}: value is {value['value']!r}; the number behind the verdict was expected.")
    since = _day(value["since"], "since", where) if value.get("since") is not None else None
    return Accepted(_verdict(value["verdict"], where), value.get("value"), since)


def _check_fields(value, needed: Sequence[str], known: Sequence[str], where: str) -> None:
    if not isinstance(value, dict) or not set(needed) <= set(value) <= set(known):
        raise MosaicError(f"{where} is {value!r}; fields {', '.join(known)} were expected.")


def _verdict(value, where: str) -> str:
    if value not in VERDICTS:
        raise MosaicError(f"{where}: {value!r} is no verdict; there are {', '.join(VERDICTS)}.")
    return value

"""A claim breaks, and CI says which, by how much, since when: verdicts against those that claims.yml accepts."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.reporting import results
from mosaic.reporting.claims import FILE, NOT_RUN, Accepted, is_number, read_claims
from mosaic.reporting.verdicts import Verdict

NOWHERE = "no verdict is accepted yet"
FORM = (
    "An entry begins with `- id: name` alone on its line, comments at the margin stand between entries, and `accepted` has "
    "a line for each profile, without empty lines. Write the verdicts by hand, or bring the entry into this form."
)


@dataclass(frozen=True)
class Break:
    """A verdict that is not the accepted one. change: the value now minus the accepted one; None where either is no number."""

    verdict: Verdict
    accepted: Accepted | None

    @property
    def change(self) -> float | None:
        before = self.accepted and self.accepted.value
        numbers = is_number(before) and is_number(self.verdict.value)
        return self.verdict.value - before if numbers else None

    def said(self) -> str:
        """Which claim, the verdict before and now, the values, by how much, since when."""
        now, before = self.verdict, self.accepted
        value = "no value" if now.value is None else results.shown(now.value)
        lines = [f"{now.claim.id} on {now.profile}: {now.claim.claim}"]
        if before is None:
            lines.append(f"  {NOWHERE}; now {now.verdict} ({value})")
        else:
            was = "" if before.value is None else f" ({results.shown(before.value)})"
            since = f" since {before.since}" if before.since else ""
            lines.append(f"  accepted{since}: {before.verdict}{was}; now: {now.verdict} ({value})")
        if self.change is not None:
            lines.append(f"  {now.claim.quantity}: moved by {results.shown(float(self.change), sign=True)}")
        lines.append(f"  {now.reason}")
        return "\n".join(lines)


def breaks(judged: Sequence[Verdict]) -> list[Break]:
    """The verdicts that differ from the accepted ones; a claim without one breaks as soon as it is judged."""
    found = []
    for verdict in judged:
        accepted = (verdict.claim.accepted or {}).get(verdict.profile)
        if accepted.verdict != verdict.verdict if accepted else verdict.judged:
            found.append(Break(verdict, accepted))
    return found


def accept(judged: Sequence[Verdict], path: Path = FILE, today: datetime.date | None = None) -> int:
    """Write these verdicts as accepted into a claims file; the rest of it stays as it is. Returns how many are new.

    A verdict that stays keeps the day since which it has stood, and gets the new value. Claims that were not run lose the
    verdict that was accepted for their profile. Raises MosaicError, and writes nothing, for a profile that does not ship
    and for a file whose entries are not written as the shipped ones are.
    """
    from mosaic.profiles.profile import profile_names

    if unknown := {verdict.profile for verdict in judged} - set(profile_names()):
        raise MosaicError(f"verdicts on {', '.join(unknown)} are not accepted in {path}: the profile does not ship.")
    text = Path(path).read_text(encoding="utf-8")
    day = (today or datetime.date.today()).isoformat()
    changed, expected = 0, {}
    for verdict in judged:
        claim, profile = verdict.claim, verdict.profile
        before = (claim.accepted or {}).get(profile)
        stays = before is not None and before.verdict == verdict.verdict
        kept = {name: one for name, one in (claim.accepted or {}).items() if name != profile}
        if verdict.verdict != NOT_RUN:
            kept[profile] = Accepted(verdict.verdict, verdict.value, before.since if stays and before.since else day)
        text = _with_accepted(text, claim.id, kept, path)
        changed += not stays and verdict.verdict != NOT_RUN
        expected[claim.id] = _rounded(kept)
    written = {claim.id: _rounded(claim.accepted or {}) for claim in read_claims(text, path)}
    if any(written.get(name) != these for name, these in expected.items()):
        raise MosaicError(f"{path} is left as it was: {FORM}")
    write_atomically(Path(path), text.encode())
    return changed


def _with_accepted(text: str, claim_id: str, accepted: dict[str, Accepted], path: Path) -> str:
    """The file's text with the `accepted` field of one entry replaced, at the entry's end."""
    head = re.search(rf"(?m)^- id: {re.escape(claim_id)}[ \t]*$", text)
    if head is None:
        raise MosaicError(f"{path} is left as it was: no line `- id: {claim_id}` begins its entry. {FORM}")
    start = head.end() + 1
    following = re.search(r"(?m)^[-#]", text[start:])
    end = start + following.start() if following else len(text)
    body = re.sub(r"(?m)^  accepted:.*\n(?:   .*\n)*", "", text[start:end]).rstrip("\n") + "\n"
    if accepted:
        body += "  accepted:\n" + "".join(f"    {name}: {_flow(one)}\n" for name, one in sorted(accepted.items()))
    return text[:start] + body + text[end:]


def _rounded(accepted: Mapping[str, Accepted]) -> dict[str, Accepted]:
    """The values to the decimals that are written."""
    return {
        profile: replace(one, value=round(one.value, results.DIGITS)) if is_number(one.value) else one
        for profile, one in accepted.items()
    }


def _flow(accepted: Accepted) -> str:
    value = "" if accepted.value is None else f", value: {_scalar(accepted.value)}"
    since = f", since: {accepted.since}" if accepted.since else ""
    return f"{{verdict: {accepted.verdict}{value}{since}}}"


def _scalar(value: float | str) -> str:
    return (
        json.dumps(value, ensure_ascii=False)
        if isinstance(value, str)
        else f"{value:.{results.DIGITS}f}".rstrip("0").rstrip(".")
    )

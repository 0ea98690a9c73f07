"""Sphinx extension: {mosaic-tiles} shows every claim as a tile, coloured by its verdict on this site's profile.

Tiles stand by the chapter that measures them; a click leads to the claim's line on the claims page. A tile says its
verdict in words too, so that nothing hangs on colour alone.
"""

import html
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from docutils import nodes
from mosaic_claims import anchor, depend, value_text
from mosaic_results import folder, profile_name
from sphinx.util.docutils import SphinxDirective

from mosaic.reporting import claims, verdicts
from mosaic.reporting.verdicts import Verdict

PAGE = "claims"
OPEN = "open"


class Tiles(SphinxDirective):
    """How many claims hold, and under each chapter's title a tile a claim."""

    def run(self):
        depend(self)
        judged = verdicts.judge_all(profile_name(), folder())
        uri = self.env.app.builder.get_relative_uri
        page = uri(self.env.docname, PAGE)
        found = [nodes.paragraph("", tally(judged, profile_name()))]
        chapters = {doc.split("_", 1)[-1]: doc for doc in sorted(self.env.found_docs) if doc.startswith("notebooks/")}
        for study, members in by_study(judged, list(chapters)).items():
            doc = chapters.get(study)
            heading = nodes.paragraph("", "", classes=["tiles-chapter"])
            if doc:
                target = uri(self.env.docname, doc)
                heading += nodes.reference("", title(Path(self.env.doc2path(doc))), internal=True, refuri=target)
            else:
                heading += nodes.Text("No chapter of this site measures these")
            tiles = "".join(tile(verdict, page) for verdict in members)
            found += [heading, nodes.raw("", f'<div class="tiles">{tiles}</div>', format="html")]
        return found


def by_study(judged: Sequence[Verdict], chapters: Sequence[str]) -> dict[str, list[Verdict]]:
    """{study: its verdicts}, chapter by chapter in reading order; those that no chapter here measures come last, under ""."""
    found: dict[str, list[Verdict]] = {study: [] for study in [*chapters, ""]}
    for verdict in judged:
        found[verdict.claim.chapter if verdict.claim.chapter in found else ""].append(verdict)
    return {study: members for study, members in found.items() if members}


def tally(judged: Sequence[Verdict], profile: str) -> str:
    """`Of 3 published claims, on mini: 2 hold here, 1 undecided.`"""
    counts: Mapping[str, int] = Counter(word(verdict) for verdict in judged)
    said = ", ".join(
        f"{n} {_many(name) if n > 1 else name}" for name in [*claims.VERDICTS, OPEN] if (n := counts[name])
    )
    return f"Of {len(judged)} published claims, on {profile}: {said}. A tile leads to its number, rule and reason."


def _many(verdict: str) -> str:
    return verdict.replace("holds", "hold").replace("does", "do")


def word(verdict: Verdict) -> str:
    """The verdict, or that papers contradict each other, which no run settles."""
    return OPEN if verdict.claim.open and verdict.judged else verdict.verdict


def tile(verdict: Verdict, page: str) -> str:
    """A link to the claim's line: the claim, the verdict, the value."""
    claim, said = verdict.claim, word(verdict)
    value = "" if verdict.value is None else f'<span class="tile-value">{html.escape(value_text(verdict))}</span>'
    return (
        f'<a class="tile tile-{said.replace(" ", "-")}" href="{html.escape(page)}#{anchor(claim)}">'
        f'<span class="tile-claim">{html.escape(claim.claim)}</span>'
        f'<span class="tile-verdict">{html.escape(said)}</span>{value}</a>'
    )


def title(path: Path) -> str:
    """A notebook's first heading."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if line.startswith("# "):
                return line.removeprefix("# ").strip()
    return path.stem


def setup(app):
    app.add_directive("mosaic-tiles", Tiles)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}

"""Sphinx extension: numbers in prose come from results/<profile>/*.json; a missing one fails the build,
one that is null on this profile reads "not measured here".

{result}`layers.best_mean.sae` writes the number at that key. Directives: {mosaic-claims} writes the claims
table, {mosaic-profile} what this site was run on. Pages are rebuilt when a file they read changes.
"""

import os
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from mosaic.errors import MosaicError
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import claims, results

log = logging.getLogger(__name__)


def folder() -> Path:
    return Path(os.environ.get("MOSAIC_RESULTS", "results"))


def profile() -> Profile:
    return load_profile(os.environ.get("MOSAIC_PROFILE", "mini"))


def profile_name() -> str:
    return profile().name


class Result(SphinxRole):
    def run(self):
        name = self.text.split(".")[0]
        self.env.note_dependency(str((folder() / profile_name() / f"{name}.json").resolve()))
        try:
            text = results.shown(results.lookup(profile_name(), self.text, folder()))
        except MosaicError as error:
            log.warning("result %s is missing: %s", self.text, error, location=self.get_location())
            text = "?"
        return [nodes.inline("", text, classes=["result"])], []


def compared() -> list[str]:
    """This site's profile and those that ship with results, as far as they have any."""
    names = dict.fromkeys([profile_name(), "mini", "minilm", "stories260k"])
    return [name for name in names if (folder() / name).is_dir()] or [profile_name()]


class Claims(SphinxDirective):
    """Claim | published | one column a profile: its value and its verdict."""

    def run(self):
        self.env.note_dependency(str(claims.FILE))
        names = compared()
        for name in names:
            for path in (folder() / name).glob("*.json"):
                self.env.note_dependency(str(path.resolve()))
        table = nodes.table(classes=["mosaic-table"])
        group = nodes.tgroup(cols=2 + len(names))
        table += group
        for width in (38, 20, *[42 // len(names)] * len(names)):
            group += nodes.colspec(colwidth=width)
        head, body = nodes.thead(), nodes.tbody()
        group += head
        group += body
        head += self._row([nodes.Text(text) for text in ("claim and source", "published", *names)])
        for verdicts in zip(*(claims.judge_all(name, folder()) for name in names), strict=True):
            claim = verdicts[0].claim
            about = [nodes.Text(claim.claim), nodes.emphasis("", f" {claim.source}; {claim.provenance}")]
            if claim.open:
                about += [nodes.Text(" "), nodes.inline("", "open", classes=["open-question"])]
                about += [nodes.Text(f" {claim.open}")]
            body += self._row([about, nodes.Text(claim.published), *map(self._verdict, verdicts)])
        return [table]

    @staticmethod
    def _verdict(verdict):
        value = "" if verdict.value is None else results.shown(verdict.value)
        if verdict.low is not None:
            value += f" ({results.shown([verdict.low, verdict.high])})"
        css = f"verdict-{verdict.verdict.replace(' ', '-')}"
        return [nodes.Text(f"{value} " if value else ""), nodes.inline("", verdict.verdict, classes=["verdict", css])]

    @staticmethod
    def _row(cells):
        row = nodes.row()
        for cell in cells:
            entry, paragraph = nodes.entry(), nodes.paragraph()
            paragraph += cell
            entry += paragraph
            row += entry
        return row


class ProfileBox(SphinxDirective):
    def run(self):
        shown = profile()
        sets = ", ".join(choice.title for choice in shown.datasets)
        layers, widths = ", ".join(map(str, shown.layers)), ", ".join(shown.widths)
        text = (
            f"This site was run on the profile {shown.name}: {shown.title}; layers {layers}, widths {widths}; "
            f"sets {sets}."
        )
        box = nodes.note("", nodes.paragraph("", text))
        return [box]


def setup(app):
    app.add_role("result", Result())
    app.add_directive("mosaic-claims", Claims)
    app.add_directive("mosaic-profile", ProfileBox)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}

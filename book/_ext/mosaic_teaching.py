"""Sphinx extension for the teachers' page, which must build on every profile, whatever chapters it has.

{chapter}`two_seeds` links a chapter by its study: number and title, or, where this book lacks it, its title alone. Directives:
{mosaic-slides} lists the decks that lie beside the book; {mosaic-belief} has what students believe, what is so, and what
this run measured of it, in the words of the chapter that measured it.
"""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from mosaic_results import folder, profile_name
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from mosaic.errors import MosaicError
from mosaic.reporting import decks, results, slides

CHAPTERS = "notebooks/"
SCRIPTS = Path("notebooks")
log = logging.getLogger(__name__)


def script(study: str) -> Path | None:
    """A chapter's source by its study; None where there is none."""
    return {path.stem.split("_", 1)[1]: path for path in SCRIPTS.glob("[0-9]*.py")}.get(study)


def named(env, study: str) -> nodes.Node:
    """A link to the chapter, or its title where this book lacks it. Raises MosaicError for a study without a chapter."""
    path = script(study)
    if path is None:
        known = ", ".join(source.stem.split("_", 1)[1] for source in sorted(SCRIPTS.glob("[0-9]*.py")))
        raise MosaicError(f"there is no chapter of the study {study!r}; there are {known}.")
    title = re.search(r"(?m)^# # (.+)$", path.read_text(encoding="utf-8"))[1]
    number = int(path.stem.split("_")[0])
    if f"{CHAPTERS}{path.stem}" not in env.found_docs:
        return nodes.inline("", f"chapter {number}, {title} (not in this profile's book)")
    return nodes.reference("", f"chapter {number}, {title}", refuri=f"{CHAPTERS}{path.stem}.html", internal=True)


class Chapter(SphinxRole):
    def run(self):
        try:
            return [named(self.env, self.text)], []
        except MosaicError as error:
            log.warning("%s", error, location=self.get_location())
            return [nodes.inline("", self.text)], []


class Slides(SphinxDirective):
    def run(self):
        names = [name for name in self.env.found_docs if name.startswith(CHAPTERS)]
        entries = []
        for path in decks.core(Path(self.env.doc2path(name)) for name in names):
            self.env.note_dependency(str(path))
            title = f"{int(path.stem.split('_')[0])}. {slides.read(path)[0].heading}"
            link = nodes.reference("", title, refuri=f"{decks.FOLDER}/{path.stem}.html", internal=False)
            entries.append(nodes.list_item("", nodes.paragraph("", "", link)))
        return [nodes.bullet_list("", *entries)] if entries else []


class Belief(SphinxDirective):
    """`{mosaic-belief} What students say.` with :result: the key of a recorded sentence; its first part is the chapter."""

    required_arguments, final_argument_whitespace, has_content = 1, True, True
    option_spec = {"result": directives.unchanged_required}  # noqa: RUF012 - docutils's own

    def run(self):
        key = self.options.get("result", "")
        try:
            chapter = named(self.env, key.split(".")[0])
        except MosaicError as error:
            raise self.error(str(error)) from error
        said = nodes.paragraph("", "", nodes.strong("", f"“{self.arguments[0]}”"))
        inner = nodes.container(classes=["belief"])
        inner += said
        self.state.nested_parse(self.content, self.content_offset, inner)
        seen = nodes.paragraph("", "", nodes.Text("Seen in "), chapter, nodes.Text(""))
        if isinstance(chapter, nodes.reference):
            seen += [nodes.Text(": "), nodes.inline("", self._measured(key), classes=["result"])]
        else:
            seen += nodes.Text(".")
        inner += seen
        return [inner]

    def _measured(self, key: str) -> str:
        self.env.note_dependency(str((folder() / profile_name() / f"{key.split('.')[0]}.json").resolve()))
        try:
            return results.shown(results.lookup(profile_name(), key, folder()))
        except MosaicError as error:
            log.warning("result %s is missing: %s", key, error, location=self.get_location())
            return "?"


def setup(app):
    app.add_role("chapter", Chapter())
    app.add_directive("mosaic-slides", Slides)
    app.add_directive("mosaic-belief", Belief)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

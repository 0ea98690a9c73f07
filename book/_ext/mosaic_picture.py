"""Sphinx extension: {mosaic-picture} shows the picture of the whole way, from a sentence to a probe's answer, as the chapter
that draws it was executed; nothing, on a profile without that chapter.
"""

import json

from chapter_strip import executed
from docutils import nodes
from mosaic_results import folder, profile_name, said
from sphinx.util.docutils import SphinxDirective

from mosaic.reporting import results

DRAWN_BY = "01_from_nothing"
SAID = "from_nothing.sentences.picture"
MARK = '<figure class="pipeline">'


class Picture(SphinxDirective):
    def run(self):
        path = executed() / f"{DRAWN_BY}.ipynb"
        if not path.is_file():
            return []
        self.env.note_dependency(str(path.resolve()))
        drawn = first(json.loads(path.read_text(encoding="utf-8")))
        return [nodes.raw("", drawn, format="html"), self._words()] if drawn else []

    def _words(self) -> nodes.paragraph:
        """What the chapter says of its picture."""
        self.env.note_dependency(str((folder() / profile_name() / f"{SAID.split('.')[0]}.json").resolve()))
        words = results.lookup(profile_name(), SAID, folder())
        return nodes.paragraph("", "", *said(f"{words} The last bar holds all other latents together."))


def first(notebook: dict) -> str | None:
    """The first such picture among a notebook's outputs."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            shown = "".join(output.get("data", {}).get("text/html", ""))
            if MARK in shown:
                return shown[shown.index(MARK) :]
    return None


def setup(app):
    app.add_directive("mosaic-picture", Picture)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}

"""Sphinx extension: {mosaic-slides} lists the decks that lie beside this book, one of each core chapter it has."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from mosaic.reporting import decks, slides

CHAPTERS = "notebooks/"


class Slides(SphinxDirective):
    def run(self):
        found = decks.core(self.env.doc2path(name) for name in self.env.found_docs if name.startswith(CHAPTERS))
        entries = []
        for path in found:
            self.env.note_dependency(str(path))
            title = f"{int(path.stem.split('_')[0])}. {slides.read(path)[0].heading.split('. ', 1)[-1]}"
            link = nodes.reference("", title, refuri=f"{decks.FOLDER}/{path.stem}.html", internal=False)
            entries.append(nodes.list_item("", nodes.paragraph("", "", link)))
        return [nodes.bullet_list("", *entries)] if entries else []


def setup(app):
    app.add_directive("mosaic-slides", Slides)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

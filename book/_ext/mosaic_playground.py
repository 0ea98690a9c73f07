"""Sphinx extension: {playground} is the place where a reader types a sentence (playground.js), with what it may offer.

What there is stands in playground.json of MOSAIC_PLAYGROUND, a folder that `mosaic reproduce` fills and puts beside the pages. Where
it is absent, the page says so; nothing else of the site needs it. Script and style are of this page alone.
"""

import html
import json
import os
from pathlib import Path

from docutils import nodes
from mosaic_results import profile_name
from sphinx.util.docutils import SphinxDirective

ABOUT = "playground.json"
ABSENT = "The playground was not built with this site. In a clone of the project, `mosaic reproduce` builds it."


class Playground(SphinxDirective):
    def run(self):
        self.env.playgrounds = {*getattr(self.env, "playgrounds", ()), self.env.docname}
        self.env.note_dependency(str((folder() / ABOUT).resolve()))
        return [nodes.raw("", markup(folder(), profile_name()), format="html")]


def folder() -> Path:
    return Path(os.environ.get("MOSAIC_PLAYGROUND", "build/playground"))


def markup(folder: Path, profile: str) -> str:
    """The element that playground.js fills; what it reads stands in it as JSON, where no text can end the script."""
    path = folder / ABOUT
    about = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"models": [], "missing": [ABSENT]}
    text = json.dumps({**about, "profile": profile}, ensure_ascii=True).replace("<", "\\u003c")
    without = html.escape("This page computes in your browser and needs JavaScript for it.")
    return (
        f'<div class="playground"><script type="application/json">{text}</script>'
        f"<noscript><p>{without}</p></noscript></div>"
    )


def beside(app, config):
    """The folder of its script and style: not in _static, all of which every page loads."""
    config.html_static_path.append(str(Path(__file__).parent / "playground"))


def of_this_page(app, pagename, templatename, context, doctree):
    if pagename in getattr(app.env, "playgrounds", ()):
        app.add_css_file("playground.css")
        app.add_js_file("playground.js", loading_method="defer")


def setup(app):
    app.add_directive("playground", Playground)
    app.connect("config-inited", beside)
    app.connect("html-page-context", of_this_page)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}

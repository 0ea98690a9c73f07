"""Sphinx extension: formulas are drawn when the book is built, one path each, in the colour of the words around them.

matplotlib's mathtext sets them. A page needs no script for them (MathJax weighs 1.2 MB, more than all else together); the
LaTeX is what a screen reader says. What mathtext cannot set fails the build and is named.
"""

import html

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging

from mosaic.reporting.formulas import lines_of, svg

log = logging.getLogger(__name__)
def _visit(translator, node, displayed: bool):
    latex = node.astext()
    try:
        drawn = [svg(line, latex if i == 0 else "") for i, line in enumerate(lines_of(latex) if displayed else [latex])]
    except ValueError as error:
        log.warning("the formula %s cannot be drawn: %s", latex, " ".join(str(error).split())[:300], location=node)
        drawn = [html.escape(latex)]
    if displayed:
        inner = "".join(f"<div>{line}</div>" for line in drawn)
        label = 'role="group" aria-label="formula"'
        translator.body.append(f'<div class="formula" tabindex="0" {label}>{inner}</div>')
    else:
        translator.body.append(f'<span class="formula">{drawn[0]}</span>')
    raise nodes.SkipNode


def visit_math(translator, node):
    _visit(translator, node, displayed=False)


def visit_displayed(translator, node):
    _visit(translator, node, displayed=True)


def setup(app):
    if app.config.html_math_renderer not in (None, "drawn"):
        raise ExtensionError(
            f"html_math_renderer is {app.config.html_math_renderer!r}; drawn_formulas draws formulas itself."
        )
    app.add_html_math_renderer("drawn", (visit_math, None), (visit_displayed, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Sphinx extension: formulas without a network. Of sphinx-mathjax-offline only tex-chtml.js and its fonts are copied."""

import importlib.util
import shutil
from pathlib import Path


def copy(app, exception):
    if exception is None:
        source = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
        target = Path(app.outdir) / "_static" / "mathjax"
        fonts = Path("output", "chtml", "fonts")
        shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)
        shutil.copy(source / "tex-chtml.js", target / "tex-chtml.js")


def setup(app):
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

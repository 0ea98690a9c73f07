"""Sphinx extension: in a chapter's code, each function of this package that is called links to its source, line by line,
which lies in sources/ of the site: no network, and no other host, is needed to read it.
"""

from pathlib import Path

from mosaic.reporting import source_links

CHAPTERS, FOLDER = "notebooks/", "sources"
SCRIPTS = Path("notebooks")


def calls_of(docname: str) -> dict:
    path = SCRIPTS / f"{docname.removeprefix(CHAPTERS)}.py"
    return (
        source_links.calls(path.read_text(encoding="utf-8")) if docname.startswith(CHAPTERS) and path.is_file() else {}
    )


def add_links(app, pagename, templatename, context, doctree):
    if found := calls_of(pagename):
        context["body"] = source_links.linked(
            context["body"], found, lambda module, line: f"../{FOLDER}/{module}.html#L-{line}"
        )


def write_pages(app, exception):
    if exception is not None:
        return
    target = Path(app.outdir) / FOLDER
    for module in sorted({module for name in app.env.found_docs for module, _ in calls_of(name).values()}):
        target.mkdir(exist_ok=True)
        (target / f"{module}.html").write_text(source_links.page(module), encoding="utf-8")


def setup(app):
    app.connect("html-page-context", add_links)
    app.connect("build-finished", write_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Sphinx extension: what was written is made light and whole: no script or style that the page does not use, icons as a few
lines of CSS, captions numbered, marks that say nothing hidden from screen readers.

The theme links an icon library of 1.5 MB and the search index on every page, by templates that cannot be told otherwise; so
the pages are changed after they are written. `tests/reporting/test_book.py` measures what each page loads.
"""

import re
from pathlib import Path

CHAPTER = re.compile(r"^(\d+)_")
SEARCH = "search.html"
UNUSED = (
    r"<!-- So that users can add custom icons -->\s*<script defer src=\"[^\"]*fontawesome\.js[^\"]*\"></script>",
    r"<script type=\"text/x-thebe-config\">.*?</script>\s*<script>kernelName = '[^']*'</script>",
    r"<link [^>]*href=\"[^\"]*sphinx-thebe\.css[^\"]*\" ?/>",
    r"<div class=\"cell_output docutils container\">\s*</div>",
)
SEARCHES = r"<script src=\"[^\"]*(?:searchtools|language_data|searchindex)\.js\"></script>"
VIEWPORT = re.compile(r"<meta name=\"viewport\"[^>]*>")
ICON_RULE = re.compile(r"(?:\.(?:fa[a-z]?|svg-inline--fa)(?:-[\w-]+)?(?:[.:][\w-]+)*(?:::?\w+)?,?)+\{[^{}]*\}")
ICON_FACE = re.compile(r"@font-face\{[^{}]*Font ?\\?\s?Awesome[^{}]*\}")
FILES = ("_static/scripts/*.map", "_static/styles/*.map", "_static/scripts/fontawesome*", "_static/vendor/**/*",
         "_static/images/logo_*", "_static/sphinx-thebe.*", "_static/locales/**/*")  # fmt: skip


def light(page: str, name: str) -> str:
    """A page without what it does not use. name: its file's."""
    for pattern in UNUSED:
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    if name != SEARCH:
        page = re.sub(SEARCHES, "", page)
    first = VIEWPORT.search(page)
    if first:
        page = page[: first.end()] + VIEWPORT.sub("", page[first.end() :])
    return page


def said(page: str) -> str:
    """A page for those who hear it: icons say nothing, buttons have names, scrolling boxes are reached by the keyboard."""
    page = re.sub(r'<(i|span) class="((?:fa-solid|fas|far) )', r'<\1 aria-hidden="true" class="\2', page)
    page = re.sub(r'<i class="theme-switch ', '<i aria-hidden="true" class="theme-switch ', page)
    page = re.sub(r'<button(?![^>]*aria-label)([^>]*\btitle="([^"]+)")', r'<button aria-label="\2"\1', page)
    page = re.sub(r'<pre(?= ?>)', '<pre tabindex="0"', page)
    return re.sub(r'(<div class="pst-scrollable-table-container")(?![^>]*tabindex)', r'\1 tabindex="0"', page)


def numbered(page: str, chapter: int) -> str:
    """Figures and tables of a chapter with a number before their captions, and an address each."""
    count = {"Figure": 0, "Table": 0}

    def figure(found: re.Match) -> str:
        count["Figure"] += 1
        number = f"{chapter}.{count['Figure']}"
        return f'<figure class="drawn" id="figure-{number}">{found[1]}<figcaption><b>Figure {number}.</b> '

    def table(found: re.Match) -> str:
        count["Table"] += 1
        number = f"{chapter}.{count['Table']}"
        return f'<p class="table-foot" id="table-{number}"><b>Table {number}.</b> '

    page = re.sub(r'<figure class="drawn">(.*?)<figcaption>', figure, page, flags=re.DOTALL)
    return re.sub(r'<p class="table-foot">', table, page)


def without_icons(style: str) -> str:
    """The theme's style sheet without its 2,500 rules for icons; icons.css has those that are used."""
    return ICON_RULE.sub("", ICON_FACE.sub("", style))


def finish(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in sorted(out.rglob("*.html")):
        page = said(light(path.read_text(encoding="utf-8"), path.name))
        if path.parent.name == "notebooks" and (found := CHAPTER.match(path.name)):
            page = numbered(page, int(found[1]))
        path.write_text(page, encoding="utf-8")
    style = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    style.write_text(without_icons(style.read_text(encoding="utf-8")), encoding="utf-8")
    for pattern in FILES:
        for path in out.glob(pattern):
            if path.is_file():
                path.unlink()


def setup(app):
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

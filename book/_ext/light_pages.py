"""Sphinx extension: what was written is made light and whole: no script or style that the page does not use, icons as a few
lines of CSS, captions told and numbered, marks that say nothing hidden from screen readers.

The theme links an icon library of 1.5 MB and the search index on every page, by templates that cannot be told otherwise; so
the pages are changed after they are written. `tests/reporting/test_book.py` measures what each page loads.
"""

import re
from collections.abc import Iterable
from pathlib import Path

CHAPTER = re.compile(r"^(\d+)_")
SEARCH = "search.html"
MANY = 100  # headings of the third level: more are left out of a page's contents
UNUSED = (
    r"<div id=\"jb-print-docs-body\".*?(?=<div id=\"searchbox\">)",
    r"<!-- So that users can add custom icons -->\s*<script defer src=\"[^\"]*fontawesome\.js[^\"]*\"></script>",
    r"<script type=\"text/x-thebe-config\">.*?</script>\s*<script>kernelName = '[^']*'</script>",
    r"<link [^>]*href=\"[^\"]*sphinx-thebe\.css[^\"]*\" ?/>",
    r"<div class=\"cell_output docutils container\">\s*</div>",
)
SEARCHES = r"<script src=\"[^\"]*(?:searchtools|language_data|searchindex)\.js\"></script>"
VIEWPORT = re.compile(r"<meta name=\"viewport\"[^>]*>")
ICON_FACE = re.compile(r"@font-face\{[^{}]*Font ?\\?\s?Awesome[^{}]*\}")
RULE = re.compile(r"([^{};/]+)\{([^{}]*)\}")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SELECTORS = re.compile(r",(?![^(]*\))")
ESCAPE = re.compile(r"\\.")
NOT = re.compile(r":(?:not|is|where|has)\(")  # its classes need not be there
CLASS = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
SHEETS = ("styles/pydata-sphinx-theme.css", "sphinx-design.min.css", "styles/sphinx-book-theme.css", "mystnb.*.css")
MOST_BYTES = 600_000  # of a page: with the third of a megabyte that every page loads it stays below one
SECOND = re.compile(r'<img class="narrow"[^>]* src="[^"]*">')  # the drawing for phones; its words hold no bracket
CAPTION = re.compile(
    r'<span class="drawn-caption">[^<]*</span>(?P<links>(?:(?!</figcaption>|<span class="drawn).)*)</figcaption></figure>'
    r'(?P<ends>(?:\s*</div>)*)\s*<div class="(?:docutils caption|caption docutils)">\s*<p>(?P<told>(?:(?!</?p>).)*)</p>\s*</div>',
    re.DOTALL,
)
FILES = ("_static/scripts/*.map", "_static/styles/*.map", "_static/scripts/fontawesome*", "_static/vendor/**/*",
         "_static/images/logo_*", "_static/sphinx-thebe.*", "_static/locales/**/*")  # fmt: skip


def light(page: str, name: str) -> str:
    """A page without what it does not use. name: its file's."""
    for pattern in UNUSED:
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    page = re.sub(r'<span class="pre">([^<]*)</span>', r"\1", page)
    page = page.replace('<code class="docutils literal notranslate">', '<code class="literal">')
    page = re.sub(r"\n\s*\n+", "\n", page) if "<pre" not in page else page
    if name != SEARCH:
        page = re.sub(SEARCHES, "", page)
    if page.count("<h3>") > MANY:
        page = re.sub(r'<ul class="[^"]*">\s*(?:<li class="toc-h3.*?</li>\s*)+</ul>', "", page, flags=re.DOTALL)
        page = re.sub(r'(<h3>.*?)<a class="headerlink"[^>]*>[^<]*</a>', r"\1", page)
    first = VIEWPORT.search(page)
    if first:
        page = page[: first.end()] + VIEWPORT.sub("", page[first.end() :])
    return page


def said(page: str) -> str:
    """A page for those who hear it: icons say nothing, buttons have names, scrolling boxes are reached by the keyboard."""
    page = re.sub(r'<(i|span) class="((?:fa-solid|fas|far) )', r'<\1 aria-hidden="true" class="\2', page)
    page = re.sub(r'<i class="theme-switch ', '<i aria-hidden="true" class="theme-switch ', page)
    page = re.sub(r'<button(?![^>]*aria-label)([^>]*\btitle="([^"]+)")', r'<button aria-label="\2"\1', page)
    page = re.sub(r"<pre(?= ?>)", '<pre tabindex="0"', page)
    return re.sub(r'(<div class="pst-scrollable-table-container")(?![^>]*tabindex)', r'\1 tabindex="0"', page)


def plain_names(page: str) -> str:
    """A page without roles that a list of references has in vain, and without names that hide what stands on the thing."""
    page = page.replace('role="list" class="citation-list"', 'class="citation-list"').replace(
        ' role="doc-biblioentry"', ""
    )
    page = page.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    return re.sub(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"', r"\1", page)


def lean(page: str) -> str:
    """A page that would be too heavy without the drawings for phones of its heaviest figures, which scroll there then."""
    for drawing in sorted(SECOND.findall(page), key=len, reverse=True):
        if len(page.encode()) <= MOST_BYTES:
            break
        page = page.replace(drawing, "")
    return page


def captioned(page: str) -> str:
    """What the prose says directly under a figure, as its caption, in the place of the axes' names."""
    return CAPTION.sub(
        r'<span class="drawn-caption">\g<told></span>\g<links></figcaption></figure>\g<ends>', page
    )


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


def classes(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Every class that a page has, and every word of a script, which may set it."""
    found = set()
    for page in pages:
        for names in re.findall(r'class="([^"]*)"', page):
            found.update(names.split())
    for script in scripts:
        found.update(re.findall(r"[_a-zA-Z][\w-]*", script))
    return found


def used_rules(style: str, there: set[str]) -> str:
    """A style sheet without the rules for classes that no page has: most of it is for icons and parts that this site lacks."""

    def kept(found: re.Match) -> str:
        head = found[1]
        if head.lstrip().startswith("@") or "%" in head:  # of a font, or a step of an animation
            return found[0]
        selectors = [
            one for one in SELECTORS.split(head) if set(CLASS.findall(ESCAPE.sub("", one))) <= there or NOT.search(one)
        ]
        return f"{','.join(selectors)}{{{found[2]}}}" if selectors else ""

    return RULE.sub(kept, COMMENT.sub("", ICON_FACE.sub("", style)))


def finish(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in sorted(out.rglob("*.html")):
        page = plain_names(said(light(path.read_text(encoding="utf-8"), path.name)))
        if path.parent.name == "notebooks" and (found := CHAPTER.match(path.name)):
            page = lean(numbered(captioned(page), int(found[1])))
        path.write_text(page, encoding="utf-8")
    pages = [path.read_text(encoding="utf-8") for path in out.rglob("*.html")]
    scripts = [
        path.read_text(encoding="utf-8") for path in out.glob("_static/**/*.js") if path.name != "fontawesome.js"
    ]
    there = classes(pages, scripts)
    for path in (path for pattern in SHEETS for path in (out / "_static").glob(pattern)):
        path.write_text(used_rules(path.read_text(encoding="utf-8"), there), encoding="utf-8")
    for pattern in FILES:
        for path in out.glob(pattern):
            if path.is_file():
                path.unlink()


def setup(app):
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Decks: a chapter's slides as one page in one file, which needs no script, no network and no program but a browser.

A slide fills the window; space and the arrow keys go on, and printing gives a page a slide. nbconvert's reveal.js was not
taken: it loads its scripts from elsewhere or has 4 MB of them beside each deck, and draws no slide without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.profiles.profile import load_profile
from mosaic.reporting import exercises, pages
from mosaic.reporting.slides import CORE, Slide, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

FOLDER = "slides"  # of the site
MARK = '<meta name="generator" content="mosaic slides">'
KICKERS = {"question": "Predict before you look", "answer": "What came out"}
CITATION = re.compile(r"\s*\{cite(?::\w+)?\}`[^`]*`")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\([^)\s]+\)")


def core(notebooks: Iterable[Path]) -> list[Path]:
    """The chapters that have slides, in reading order."""
    return sorted(path for path in notebooks if path.stem.split("_", 1)[-1] in CORE)


def write_all(notebooks: Sequence[Path], profile: str, folder: Path) -> list[Path]:
    """NAME.html below `folder` of each executed notebook, and index.html, which lists them. Returns all paths.

    profile: as the command line was given it, a name or a file. Raises MosaicError where there is no notebook, and for a page there that is
    somebody else's.
    """
    if not notebooks:
        raise MosaicError(
            f"no chapter with slides has been executed on {profile}: run `mosaic reproduce --profile {profile}` first."
        )
    name = load_profile(profile).name
    _check_own([folder / "index.html", *(folder / f"{path.stem}.html" for path in notebooks)])
    folder.mkdir(parents=True, exist_ok=True)
    written, decks = [], []
    for path in notebooks:
        slides, number = read(path), int(path.stem.split("_")[0])
        page = deck(slides, number, name, exercises.recorded_in(name))
        written.append(folder / f"{path.stem}.html")
        write_atomically(written[-1], page)
        decks.append((f"{path.stem}.html", f"{number}. {slides[0].heading}", len(slides)))
    written.append(folder / "index.html")
    write_atomically(
        written[-1], pages.render("slides_index.html.j2", decks=decks, profile=name, slides_style=_style())
    )
    return written


def _check_own(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_file() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
            raise MosaicError(f"{path} is no page that `mosaic slides` wrote. Name another folder.")


def deck(slides: Sequence[Slide], number: int, profile: str, recorded: Callable[[str], str]) -> bytes:
    """The page of a chapter's slides. recorded: what stands for `{result}`key``."""
    from markupsafe import Markup

    in_html = markdown(recorded)
    shown = [
        {
            "kind": f"{slide.kind} beside" if slide.tall else slide.kind,
            "kicker": KICKERS.get(slide.kind, ""),
            "heading": in_html(slide.heading, inline=True),
            "text": in_html(slide.text),
            "image": Markup(slide.image),
            "caption": in_html(slide.caption, inline=True),
        }
        for slide in slides
    ]
    return pages.render(
        "slides.html.j2", title=f"{number}. {slides[0].heading}", number=number, profile=profile, slides=shown,
        slides_style=_style(),
    )  # fmt: skip


def markdown(recorded: Callable[[str], str]) -> Callable[..., Markup]:
    """A function (text, inline=False) from a chapter's Markdown to HTML: numbers written out, formulas drawn, citations and
    links left out (a deck stands alone), markup in the text shown as text."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    from mosaic.reporting import formulas

    def drawn(latex: str, options: dict) -> str:
        lines = formulas.lines_of(latex) if options["display_mode"] else [latex]
        return "".join(formulas.svg(line, line) for line in lines)

    parser = MarkdownIt("js-default").use(dollarmath_plugin, renderer=drawn)

    def in_html(text: str, inline: bool = False) -> Markup:
        plain = LINK.sub(r"\1", CITATION.sub("", text))
        words = exercises.in_words(plain, recorded)
        return Markup(parser.renderInline(words) if inline else parser.render(words))

    return in_html


def _style() -> Markup:
    from markupsafe import Markup

    return Markup(pages.asset("slides.css"))

"""A figure as a page shows it: the drawing, words for who cannot see it, and its numbers as a file to save."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mosaic import numerals
from mosaic.printable import cell, printable
from mosaic.reporting import drawn, narrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS = 96 / 72  # a point
SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')
NAMED = 12  # panels and series that a sentence names
KINDS = {
    "QuadMesh": "a matrix of numbers",
    "AxesImage": "a matrix of colours",
    "BarContainer": "bars",
    "ErrorbarContainer": "marks with intervals",
    "PolyCollection": "lines with bands",
    "FillBetweenPolyCollection": "lines with bands",
    "PathCollection": "dots",
}


def show_in_notebooks() -> None:
    """In a notebook, a figure is shown as `shown` has it, and in no other way."""
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from matplotlib.figure import Figure

    if shell := get_ipython():
        import matplotlib_inline.backend_inline  # noqa: F401  takes its place for figures at import; here it gives it up

        formatters = shell.display_formatter.formatters
        for kind in ("image/png", "image/svg+xml", "image/jpeg", "application/pdf"):
            formatters[kind].pop(Figure, None)
        formatters["text/html"].for_type(Figure, shown)


def shown(figure: Figure) -> str:
    """A figure as HTML: the drawing (SVG) with its description as alternative text, and its rows as a file to save.

    Where that can be, it is drawn a second time, for a phone; the site's style sheet shows one of the two.
    """
    found = drawn.rows(figure)
    said = html.escape(numerals.minus(description(figure, found)))
    image = _image(figure, said)
    if narrow.movable(figure):
        with narrow.narrow(figure):
            image += _image(figure, said, 'class="narrow" hidden ')
    parts = [f'<span class="drawn-caption">{html.escape(caption(figure))}</span>'] if caption(figure) else []
    if found:
        data = f"data:text/csv;charset=utf-8;base64,{_base64(as_csv(found).encode())}"
        parts.append(f'<a download="{_file_name(figure)}" href="{data}">the numbers drawn here (CSV)</a>')
    scrolls = f'<div class="drawing" tabindex="0" role="group" aria-label="figure">{image}</div>'
    return f'<figure class="drawn">{scrolls}<figcaption>{" ".join(parts)}</figcaption></figure>'


def _image(figure: Figure, said: str, mark: str = "") -> str:
    """The drawing as it is now. said: its alternative text, escaped. mark: attributes."""
    import matplotlib

    drawing = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "mosaic"}):  # the same bytes from run to run
        figure.savefig(drawing, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = compact(drawing.getvalue().decode())
    width, height = (round(float(of) * PIXELS) for of in SIZE.search(svg).groups())
    return (
        f'<img {mark}alt="{said}" width="{width}" height="{height}" style="--natural: {width}px" '
        f'src="{as_address(svg)}">'
    )


def caption(figure: Figure) -> str:
    """A line under the figure: what is drawn over what, and in how many panels."""
    panels = list(drawn.panels(figure))
    x, y = (_axis(figure, panels, which) for which in "xy")
    shade = drawn.colour(figure)
    axes = " by ".join(filter(None, (y, x)))
    said = ", ".join(filter(None, (shade, axes))) or printable(figure.get_label() or "").partition(".")[0]
    if len(panels) > 1:
        said += f"; {len(panels)} panels"
    first = said.partition(" ")[0].strip(",;")
    said = said[:1].upper() + said[1:] if len(first) > 1 else said
    return printable(f"{said}." if said else "")


def compact(svg: str) -> str:
    """A drawing without what no reader sees: comments, metadata, line breaks, digits below a fiftieth of a pixel.

    Numbers below one keep four digits: the letters' scale is one of them.
    """
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", svg).strip()
    svg = re.sub(r"\s*\n\s*", " ", svg)
    svg = re.sub(r' id="(?:figure|axes|patch|line2d|text|legend|matplotlib\.axis|[xy]tick|\w*Collection)_\d+"', "", svg)
    svg = svg.replace("DejaVuSans-", "D").replace("xlink:href=", "href=").replace("<g>\n", "<g>")
    svg = re.sub(r"(?<![\w.#])(-?)(\d+)\.(\d{3,})", _rounded, svg)
    svg = re.sub(r'(?<= d=")[^"]*', _tight, svg)
    return re.sub(r'(?<= style=")[^"]*', lambda style: re.sub(r"([:;]) ", r"\1", style[0]), svg)


def _tight(path: re.Match) -> str:
    """A path's commands without the spaces that part them: a letter or a minus does."""
    return re.sub(r" (?=-)|\s*([A-Za-z])\s*", lambda found: found[1] or "", path[0])


def _rounded(found: re.Match) -> str:
    value = float(found[0])
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.4g}"


def as_address(svg: str) -> str:
    """A drawing as a data address for an attribute in double quotes, of which it has none: shorter than base64 by a third."""
    quoted = svg.replace("'", "&apos;").replace('"', "'").replace("%", "%25").replace("#", "%23")
    return "data:image/svg+xml," + quoted.replace("&", "&amp;")


def as_csv(found: Iterable[dict]) -> str:
    """The rows with a heading; columns that no row has are left out, texts are no formulas to a spreadsheet."""
    found = list(found)
    columns = [column for column in drawn.COLUMNS if any(row.get(column, "") != "" for row in found)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in found:
        values = (row.get(column, "") for column in columns)
        writer.writerow([cell(value) if isinstance(value, str) else value for value in values])
    return out.getvalue()


def description(figure: Figure, found: Sequence[dict] | None = None) -> str:
    """What is drawn, in a sentence or two: the kinds of marks, both axes, panels, and every series with its range.

    found: its rows, where they are known. A figure with a label of its own (`Figure.set_label`) is described by that.
    """
    if figure.get_label():
        return printable(figure.get_label())
    panels, found = list(drawn.panels(figure)), drawn.rows(figure) if found is None else found
    x, y = (_axis(figure, panels, which) for which in "xy")
    told = (("horizontal axis", x), ("vertical axis", y), ("colour", drawn.colour(figure)))
    along = ", ".join(f"{what}: {text}" for what, text in told if text)
    parts = [": ".join(filter(None, [_kind(panels), along]))]
    if titles := [title for ax in panels if (title := drawn.panel(ax))]:
        parts.append(f"{len(titles)} panels: {_listed(titles)}" if len(titles) > 1 else titles[0])
    untitled = len(panels) > 1 and not any(ax.get_title() for ax in panels)  # each has a quantity of its own
    if said := [text for of in (_by_panel(found) if untitled else [found]) for text in _ranges(of)]:
        parts.append(_listed(said))
    return printable(f"{'. '.join(parts)}.")


def _kind(panels: Sequence[Axes]) -> str:
    types = [type(one).__name__ for ax in panels for one in (*ax.collections, *ax.containers, *ax.get_images())]
    kinds = list(dict.fromkeys(KINDS[name] for name in KINDS if name in types))
    if "bars" in kinds and "marks with intervals" in kinds:
        kinds = ["bars with intervals"]
    texts = "a matrix of numbers" if not any(ax.lines for ax in panels) else "lines"
    said = " and ".join(kinds) or texts
    return said[0].upper() + said[1:]


def _axis(figure: Figure, panels: Sequence[Axes], which: str) -> str:
    own = [getattr(ax, f"get_{which}label")() for ax in panels]
    shared = getattr(figure, f"get_sup{which}label")()
    return ", ".join(dict.fromkeys(text.replace("\n", " ") for text in (*own, shared) if text))


def _by_panel(found: Sequence[dict]) -> list[list[dict]]:
    return [[row for row in found if row["panel"] == name] for name in dict.fromkeys(row["panel"] for row in found)]


def _ranges(found: Sequence[dict]) -> list[str]:
    return list(filter(None, (_range(name, found) for name in dict.fromkeys(row["series"] for row in found))))


def _range(series: str, found: Iterable[dict]) -> str:
    """A series' name and the range of its numbers: of the cells, else along the axis that names no places."""
    of = [row for row in found if row["series"] == series]
    for key in ("value", "y", "x"):
        values = [row[key] for row in of if isinstance(row.get(key), float)]
        if values:
            between = f"{min(values):.3g} to {max(values):.3g}" if min(values) < max(values) else f"{values[0]:.3g}"
            return f"{series}, {between}" if series else f"values {between}"
    return series


def _listed(names: list[str]) -> str:
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return "; ".join([*names[:NAMED], *more])


def _file_name(figure: Figure) -> str:
    panels = list(drawn.panels(figure))
    words = "-by-".join(filter(None, (_axis(figure, panels, which) for which in "yx")))
    return f"{re.sub('[^a-z0-9]+', '-', words.lower()).strip('-')[:60].strip('-') or 'figure'}.csv"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

"""What a figure draws, read off it as rows.

Read from the figure, not from what was handed to it: published marks, chance and whatever else was added are in it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("panel", "series", "label", "x", "x_low", "x_high", "y", "y_low", "y_high", "value")
DIGITS = 6
REACH = 0.45  # how far from a named place (0, 1, 2, ...) a mark may stand that belongs to it
LARGE = "large mark"  # a point that is drawn twice, to be seen
LARGEST_IMAGE = 20_000  # cells of a matrix of colours that are told one by one


def rows(figure: Figure) -> list[dict]:
    """One row a mark, bar or cell, keys of COLUMNS: where it stands, its interval where it has one, whose it is.

    A place that the axis names (a data set, a layer) is given by its name, any other by its number. A mark drawn again, larger,
    is labelled as that. A figure that brings its rows (`plots.finished`) has those.
    """
    told = getattr(figure, "told", None)
    if told is None:
        names = _names(figure)
        told = ({"panel": panel(ax), **row} for ax in panels(figure) for row in _of_axes(ax, names))
    return [{"panel": "", **{key: _plain(value) for key, value in row.items()}} for row in told]


def _of_axes(ax: Axes, names: dict) -> Iterator[dict]:
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.container import BarContainer, ErrorbarContainer

    marks = [c for c in ax.containers if isinstance(c, ErrorbarContainer)]
    bars = [c for c in ax.containers if isinstance(c, BarContainer)]
    meshes = [c for c in ax.collections if isinstance(c, QuadMesh)]
    texts = {} if meshes else _texts(ax)
    points = [row for container in marks for row in _marks(ax, container, names, texts)]
    for line in _lines(ax, marks):
        for row in _points(ax, line, names, texts):
            again = [one for one in points if len(line.get_xdata()) == 1 and _same_place(one, row)]
            if again and not _label(line):
                again[0]["label"] = again[0]["label"] or LARGE
            else:
                points.append(row)
    yield from points
    for container in bars:
        yield from _bars(ax, container)
    for dots in (c for c in ax.collections if isinstance(c, PathCollection)):
        for x, y in dots.get_offsets():
            yield _row(ax, names.get(_face(dots.get_edgecolor()), _label(dots)), x, y)
    for segments in _segments(ax, marks):
        for (x, y), (x_end, y_end) in segments.get_segments():
            where = _ends("x", x, x_end) | _ends("y", y, y_end)
            yield {"series": _label(segments), "label": "", **where}
    for mesh in meshes:
        yield from _cells(ax, mesh)
    for image in ax.get_images():
        yield from _pixels(image)
    for (x, y), text in texts.items():
        number = re.fullmatch(r"[+−-]?\d*\.?\d+", text)
        said = {"value": float(text.replace("−", "-"))} if number else {"label": text}
        yield _row(ax, "", x, y) | said


def _same_place(one: dict, other: dict) -> bool:
    return all(one.get(key, "") == other.get(key, "") for key in ("series", "x", "y"))


def _row(ax: Axes, series: str, x: float, y: float, label: str = "") -> dict:
    return {"series": series, "label": label, "x": _named(ax.xaxis, x), "y": _named(ax.yaxis, y)}


def _marks(ax: Axes, container, names: dict, texts: dict) -> Iterator[dict]:
    """Marks with error bars."""
    line, _, bars = container
    if line is None:
        return
    x_values, y_values = line.get_data()
    found = iter(bars)
    across = _bounds(next(found), 0, len(x_values)) if container.has_xerr else None
    up = _bounds(next(found), 1, len(x_values)) if container.has_yerr else None
    series = _label(container) or _called(line, names)
    for i, (x, y) in enumerate(zip(x_values, y_values, strict=True)):
        row = _row(ax, series, x, y, texts.pop((float(x), float(y)), ""))
        if across:
            row |= dict(zip(("x_low", "x_high"), across[i], strict=True))
        if up:
            row |= dict(zip(("y_low", "y_high"), up[i], strict=True))
        yield row


def _bounds(bars, along: int, n: int) -> list[tuple[float, float]]:
    """(low, high) of each error bar; [] where some could not be drawn, so that none is taken for another's."""
    segments = bars.get_segments()
    if len(segments) != n or not all(map(len, segments)):
        return []
    return [(ends[0][along], ends[-1][along]) for ends in segments]


def _lines(ax: Axes, marks: Iterable) -> list:
    """Lines of their own: no part of an error bar, no stroke without a name (a diagonal, a median), no unnamed line across
    the panel."""
    parts = {part for line, caps, _ in marks for part in (line, *caps) if part is not None}
    own = [line for line in ax.get_lines() if line not in parts]
    return [line for line in own if _label(line) or (line.get_transform() is ax.transData and not _stroke(line))]


def _stroke(line) -> bool:
    return len(line.get_xdata()) == 2 and line.get_marker() in (None, "None", "", " ")


def _points(ax: Axes, line, names: dict, texts: dict) -> Iterator[dict]:
    """The points of a line, with its band where it has one."""
    series = _label(line) or _called(line, names)
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    if line.get_transform() is not ax.transData:  # a line across the whole panel stands at one place
        across = len(set(y)) == 1
        yield {"series": series, "label": ""} | ({"y": y[0]} if across else {"x": x[0]})
        return
    band = _band(ax, line) if len(set(x)) == len(x) else {}
    for a, b in zip(x, y, strict=True):
        low, high = band.get(a, ("", ""))
        yield {**_row(ax, series, a, b, texts.pop((float(a), float(b)), "")), "y_low": low, "y_high": high}


def _band(ax: Axes, line) -> dict[float, tuple[float, float]]:
    """{place: (low, high)} of the shaded band that has the line's name behind an underscore; {} where there is none."""
    from matplotlib.collections import PolyCollection

    for area in (c for c in ax.collections if isinstance(c, PolyCollection)):
        if area.get_label() == f"_{line.get_label()}" and area.get_paths():
            corners = np.concatenate([path.vertices for path in area.get_paths()])
            at = {place: corners[corners[:, 0] == place, 1] for place in line.get_xdata()}
            return {place: (values.min(), values.max()) for place, values in at.items() if len(values)}
    return {}


def _bars(ax: Axes, container) -> Iterator[dict]:
    error = container.errorbar.lines[2][0].get_segments() if container.errorbar is not None else None
    series = _label(container) or _label(container.patches[0])  # a histogram names its first bar
    for i, bar in enumerate(container.patches):
        row = _row(ax, series, bar.get_x() + bar.get_width() / 2, bar.get_height())
        if not _is_named(ax.xaxis):  # of a histogram: its edges say more than its middle
            row |= {"x_low": bar.get_x(), "x_high": bar.get_x() + bar.get_width()}
        if error is not None:
            row |= {"y_low": error[i][0][1], "y_high": error[i][-1][1]}
        yield row


def _segments(ax: Axes, marks: Iterable) -> list:
    """Collections of strokes that are no error bars."""
    from matplotlib.collections import LineCollection

    bars = {bar for _, _, lines in marks for bar in lines}
    return [c for c in ax.collections if isinstance(c, LineCollection) and c not in bars]


def _cells(ax: Axes, mesh) -> Iterator[dict]:
    """The cells of a matrix: by the names of its rows and columns, or by their edges."""
    values = np.ma.getdata(mesh.get_array())
    hidden = np.ma.getmaskarray(mesh.get_array())
    corners = mesh.get_coordinates()
    xs, ys = corners[0, :, 0], corners[:, 0, 1]
    across = [_named(ax.xaxis, middle) for middle in (xs[:-1] + xs[1:]) / 2]
    up = [_named(ax.yaxis, middle) for middle in (ys[:-1] + ys[1:]) / 2]
    named = all(isinstance(name, str) for name in (*across, *up))
    for i, j in zip(*np.nonzero(~hidden), strict=True):
        edges = {"x_low": xs[j], "x_high": xs[j + 1], "y_low": ys[i], "y_high": ys[i + 1]}
        place = {"x": across[j], "y": up[i]} if named else edges
        yield {"series": "", "label": "", **place, "value": float(values[i, j])}


def _pixels(image) -> Iterator[dict]:
    """A matrix drawn as colours; a picture is none."""
    values = np.asarray(image.get_array())
    if values.ndim == 2 and values.size <= LARGEST_IMAGE:
        for i, j in np.ndindex(values.shape):
            yield {"series": "", "label": "", "x": int(j), "y": int(i), "value": float(values[i, j])}


def _texts(ax: Axes) -> dict[tuple[float, float], str]:
    """{place: what is written there}, in the data's coordinates."""
    found = {}
    for text in ax.texts:
        place = getattr(text, "xy", None) or text.get_position()
        if text.get_text() and (hasattr(text, "xy") or text.get_transform() is ax.transData):
            found[float(place[0]), float(place[1])] = text.get_text()
    return found


def _ends(axis: str, start: float, end: float) -> dict:
    return {axis: start} if start == end else {f"{axis}_low": start, f"{axis}_high": end}


# --- names ---------------------------------------------------------------------------------------------------------


def _named(axis, value: float):
    """The name that an axis gives a place, or the number where it names none."""
    if _is_named(axis):
        places = np.asarray(axis.get_majorticklocs())
        names = axis.get_major_formatter().format_ticks(places)
        if len(places) and not _numbers(places, names):
            nearest = int(np.argmin(np.abs(places - value)))
            if names[nearest] and abs(places[nearest] - value) <= REACH:
                return names[nearest]
    return float(value)


def _is_named(axis) -> bool:
    """Whether the axis was given its places."""
    from matplotlib.ticker import FixedLocator

    return isinstance(axis.get_major_locator(), FixedLocator)


def _numbers(places: Iterable[float], names: Iterable[str]) -> bool:
    """Whether the names are just the places."""
    try:
        return bool(np.allclose([float(str(name)) for name in names], list(places)))
    except ValueError:
        return False


def _names(figure: Figure) -> dict:
    """{look: name} of everything in the figure that a legend would name: marks drawn apart are of the same series."""
    found: dict = {}
    for ax in figure.axes:
        for mark, label in zip(*ax.get_legend_handles_labels(), strict=True):
            line = mark[0] if isinstance(mark, tuple) else mark
            if hasattr(line, "get_marker"):
                found.setdefault(_look(line), label)
            elif hasattr(line, "get_offsets"):
                found.setdefault(_face(line.get_edgecolor()), label)
    return found


def _called(line, names: dict) -> str:
    """The name of a mark that has none of its own: that of its look, or of the same look filled."""
    colour, marker, hollow = look = _look(line)
    if look in names or not hollow:
        return names.get(look, "")
    filled = names.get((colour, marker, False), "")
    return f"{filled} (hollow mark)" if filled else ""


def _look(line) -> tuple:
    from matplotlib.colors import same_color, to_hex

    face = line.get_markerfacecolor()
    hollow = (isinstance(face, str) and face == "none") or not same_color(face, line.get_color())
    return to_hex(line.get_color()), str(line.get_marker()), hollow


def _face(colours) -> str | None:
    """The first colour of several, its transparency aside."""
    from matplotlib.colors import to_hex

    return to_hex(colours[0]) if len(colours) else None


def _label(artist) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else label


def panel(ax: Axes) -> str:
    """What tells a panel from the others of its figure, on one line: its title, or its axes where it has none."""
    several = sum(1 for _ in panels(ax.figure)) > 1
    axes = ", ".join(filter(None, (ax.get_xlabel(), ax.get_ylabel()))) if several else ""
    return (ax.get_title() or axes).replace("\n", " ")


def panels(figure: Figure) -> Iterator[Axes]:
    """The axes that a reader sees as panels: colour bars and pictures without axes are none."""
    return (ax for ax in figure.axes if ax.get_visible() and ax.get_label() != "<colorbar>" and ax.axison)


def colour(figure: Figure) -> str:
    """What colours stand for, by the bar beside them."""
    bars = (ax for ax in figure.axes if ax.get_label() == "<colorbar>")
    return ", ".join(dict.fromkeys(text for ax in bars if (text := ax.get_ylabel() or ax.get_xlabel())))


def _plain(value):
    if isinstance(value, float | np.floating):
        return round(float(value), DIGITS)
    return value

"""A figure laid out again for a phone: panels one under another or in pairs, words as large as they were.

What is drawn stays as it is; only where it stands changes, and changes back.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mosaic.reporting import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

STACKED, ROOMY = 3.7, 4.5  # inches: of panels one under another, a phone's column; of all others, a little more
FITS = 6.0  # inches of panels one under another, which a phone shows with words of two thirds of their size: no second drawing
FEW = 4  # panels that stand one under another; more of them stand in pairs
LETTER = 11.5  # letters of a legend an inch, with six for each mark
NAME = 9  # letters of an axis's name an inch


def movable(figure: Figure) -> list[Axes]:
    """Its panels in reading order, where they stand in one grid and nothing else has a place in it; none where cells hold
    numbers, which would touch, and none where a phone shows it as it is."""
    from matplotlib.collections import QuadMesh

    panels = list(drawn.panels(figure))
    others = any(ax not in panels and ax.get_visible() for ax in figure.axes)
    cells = any(isinstance(one, QuadMesh) for ax in panels for one in ax.collections) or any(ax.images for ax in panels)
    gridded = all(ax.get_subplotspec() for ax in panels) and len({id(ax.get_gridspec()) for ax in panels}) == 1
    fits = gridded and panels[0].get_gridspec().ncols == 1 and figure.get_figwidth() <= FITS
    by_hand = any(not ax.get_in_layout() for ax in panels)
    return panels if gridded and not (others or cells or by_hand or fits) else []


@contextlib.contextmanager
def narrow(figure: Figure) -> Iterator[None]:
    """Inside, the figure has the width of a phone. It must have panels that can move (`movable`)."""
    panels = movable(figure)
    grid = panels[0].get_gridspec()
    columns = 2 if grid.ncols > 1 and len(panels) > FEW else 1
    width = STACKED if grid.ncols > columns == 1 else ROOMY
    with contextlib.ExitStack() as back:  # whatever fails, from here on
        back.callback(figure.set_size_inches, figure.get_size_inches().copy())
        for ax in reversed(panels):
            back.callback(_place(ax), ax)
        if grid.ncols > 1:
            lines = -(-len(panels) // columns)
            figure.set_size_inches(width, figure.get_figheight() / grid.nrows * lines)
            _stand(panels, figure.add_gridspec(lines, columns), columns)
        else:
            figure.set_figwidth(width)
        for ax in panels:
            ax.xaxis.set_label_text(textwrap.fill(ax.get_xlabel(), int(NAME * width / (1 if columns == 1 else 1.2))))
        for legend in [one for one in figure.legends if one.get_visible() and one.get_texts()]:
            back.callback(legend.set_in_layout, legend.get_in_layout())
            back.callback(legend.set_visible, True)
            back.callback(_again(figure, legend).remove)
        yield


def _stand(panels: list[Axes], grid, columns: int) -> None:
    shared = not all(_shown(ax.yaxis, "labelleft") for ax in panels)
    for i, ax in enumerate(panels):
        ax.set_subplotspec(grid[i])
        ax.tick_params(labelbottom=True, labelleft=i % columns == 0 or not shared)
    _name_axes(panels, columns)


def _name_axes(panels: list[Axes], columns: int) -> None:
    """A name that all panels share stands once under the last line, and left of each line."""
    across, down = ({getattr(ax, f"get_{which}label")() for ax in panels} - {""} for which in "xy")
    last = (len(panels) - 1) // columns * columns
    for i, ax in enumerate(panels):
        if len(across) == 1:
            ax.xaxis.set_label_text(next(iter(across)) if i == last else "")
            ax.xaxis.label.set_x(0.5 if last == len(panels) - 1 else 1.08)
        if len(down) == 1:
            ax.yaxis.set_label_text(next(iter(down)) if i % columns == 0 else "")


def _shown(axis: Axis, key: str) -> bool:
    return axis.get_tick_params().get(key, True)


def _place(ax: Axes):
    """What gives a panel its place and its names back."""
    spec, box, label = ax.get_subplotspec(), ax.get_position(original=True), ax.xaxis.label
    names, x = (ax.get_xlabel(), ax.get_ylabel()), label.get_position()[0]
    below, left = _shown(ax.xaxis, "labelbottom"), _shown(ax.yaxis, "labelleft")

    def put_back(ax: Axes) -> None:
        ax.set_subplotspec(spec)
        ax.set_position(box)  # where a layout was that is found step by step
        ax.set_in_layout(True)
        ax.xaxis.set_label_text(names[0])  # where the words stand along it is left as it was
        ax.xaxis.label.set_x(x)
        ax.yaxis.set_label_text(names[1])
        ax.tick_params(labelbottom=below, labelleft=left)

    return put_back


def _again(figure: Figure, legend: Legend) -> Legend:
    """The legend in as many columns as fit now; the old one is not drawn meanwhile."""
    names = [text.get_text() for text in legend.get_texts()]
    marks = dict(zip(names, legend.legend_handles, strict=True))  # of those that no panel names
    for ax in drawn.panels(figure):
        marks |= {name: mark for mark, name in zip(*ax.get_legend_handles_labels(), strict=True) if name in marks}
    fitting = max(1, int(figure.get_size_inches()[0] * LETTER / (6 + max(map(len, names)))))
    legend.set_visible(False)
    legend.set_in_layout(False)
    return figure.legend(
        marks.values(), marks.keys(), loc="outside lower center", ncols=min(fitting, len(names)),
        fontsize=legend.get_texts()[0].get_fontsize(), title=legend.get_title().get_text() or None,
    )  # fmt: skip

"""Figures: a colour means one thing, no series is lost, words are readable on both pages, the same bytes every time."""

import itertools
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import colours, plots

matplotlib.use("agg")
STYLE_SHEET = (Path(__file__).parent.parent.parent / "book" / "_static" / "mosaic.css").read_text(encoding="utf-8")
WHITE, DARK_PAGE = "#ffffff", "#121212"  # --pst-color-background of the theme
SETS = [f"set {i}" for i in range(12)]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def on_dark_page(colour: str) -> str:
    return "#" + "".join(f"{min(255, round(int(colour[i : i + 2], 16) * colours.BRIGHTER)):02x}" for i in (1, 3, 5))


@pytest.fixture(autouse=True)
def closed():
    plots.style()
    yield
    matplotlib.pyplot.close("all")


def drawn(ax) -> dict[str, tuple]:
    """label -> (colour, dash, marker) of the lines of a figure."""
    lines = [*ax.get_lines(), *(box[0] for box in ax.containers if box[0].__class__.__name__ == "Line2D")]
    labels = {id(box[0]): box.get_label() for box in ax.containers}
    named = {labels.get(id(line), line.get_label()): line for line in lines}
    return {n: (v.get_color(), v.get_linestyle(), v.get_marker()) for n, v in named.items() if not n.startswith("_")}


def test_no_look_means_two_things():
    looks = list(colours.TABLE.values())
    for one, other in itertools.combinations(colours.TABLE, 2):
        assert colours.TABLE[one] != colours.TABLE[other], f"{one} and {other} look the same"
    own = colours.looks(SETS)
    assert not {look.colour for look in own} & {look.colour for look in looks}, "a data set has a hue of its own group"
    assert len(set(own)) == 12


def test_words_and_lines_stand_out_on_both_pages():
    assert contrast(colours.INK, WHITE) >= 4.5
    assert contrast(on_dark_page(colours.INK), DARK_PAGE) >= 4.5
    for look in [*colours.TABLE.values(), *colours.looks(SETS)]:
        assert min(contrast(look.colour, WHITE), contrast(on_dark_page(look.colour), DARK_PAGE)) >= 3, look
    for cell in plots.shades()(np.linspace(0, 1, 64)):
        assert contrast(matplotlib.colors.to_hex(cell), "#000000") >= 4.5


def test_the_style_sheet_brightens_by_the_same_factor():
    assert re.search(r"filter: brightness\(([\d.]+)\)", STYLE_SHEET)[1] == str(colours.BRIGHTER)


def test_a_name_has_its_look_whatever_stands_beside_it():
    for names in (["sae", "hidden"], ["hidden", "sae"], ["a", "b", "sae"], ["hidden states", "SAE"]):
        found = {plots.NAMES.get(n, n): look for n, look in zip(names, colours.looks(names), strict=True)}
        assert found.get("SAE features", found.get("SAE")) == colours.TABLE["sae"]
    assert colours.looks(["TopK, k = 4, 8"]) == [colours.TABLE["TopK"]]
    assert colours.looks(["chance: a random dictionary"]) == [colours.TABLE["chance"]]
    assert colours.looks(["chances"]) != [colours.TABLE["chance"]]


def test_twelve_series_are_told_apart_in_every_figure():
    points = [(x, 0.5, 0.4, 0.6) for x in (1, 2)]
    rows = [{"set": "a", "features": name, "macro_f1": 0.5, "low": 0.4, "high": 0.6} for name in SETS]
    figures = [
        plots.curves(dict.fromkeys(SETS, points), "x"),
        plots.steps({name: {1: 0.5, 2: 0.5} for name in SETS}, "x", "y"),
        plots.scatter({name: [("l", *p) for p in points] for name in SETS}, "x", "y", 0.5),
        plots.intervals(rows),
    ]
    for ax in figures:
        looks = drawn(ax)
        assert set(SETS) <= set(looks), "a series is missing"
        assert len({looks[name] for name in SETS}) >= (4 if ax is figures[3] else 12)
    assert len({look[0::2] for look in drawn(figures[3]).values()}) == 12, "dots differ in colour or marker"


def test_a_condition_has_one_shape_and_a_kind_one_colour():
    names = [
        f"{kind}, {what}" for kind in ("SAE", "hidden states") for what in ("trained on English", "trained natively")
    ]
    sae, sae_native, hidden, hidden_native = colours.looks(names)
    assert (sae.dash, sae.marker) == (hidden.dash, hidden.marker) != (sae_native.dash, sae_native.marker)
    assert (sae_native.dash, sae_native.marker) == (hidden_native.dash, hidden_native.marker)
    assert sae.colour == sae_native.colour != hidden.colour == hidden_native.colour
    apart = colours.looks(["SAE, abroad", "hidden states, in English"])
    assert apart == [colours.TABLE["sae"], colours.TABLE["hidden"]], "no product: each has its own"


def test_more_series_than_looks_are_refused():
    many = {f"set {i}": {0: 1.0, 1: 1.0} for i in range(17)}
    with pytest.raises(MosaicError, match="17 series in one figure cannot be told apart, 16 can: set 0"):
        plots.steps(many, "x", "y")
    with pytest.raises(MosaicError, match="too many series are called 'chance'"):
        colours.looks([f"chance: {i}" for i in range(9)])


def test_lines_of_equal_values_do_not_hide_one_another():
    ax = plots.curves({name: [(1, 0.5, 0.5, 0.5), (2, 0.6, 0.6, 0.6)] for name in ("sae", "hidden", "tfidf")}, "x")
    lines = ax.get_lines()
    widths = [line.get_linewidth() for line in lines]
    assert widths == sorted(widths, reverse=True) and len(set(widths)) == 3
    assert len({line.get_linestyle() for line in lines}) == len({line.get_marker() for line in lines}) == 3
    assert [line.get_zorder() for line in lines] == sorted(line.get_zorder() for line in lines)


def test_series_with_different_xs_stand_at_their_own():
    ax = plots.curves({"sae": [("en", 1, 1, 1), ("de", 1, 1, 1)], "hidden": [("de", 0, 0, 0)]}, "language")
    assert [list(line.get_xdata()) for line in ax.get_lines()] == [[0, 1], [1]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["en", "de"]


def test_panels_take_a_line_of_their_own_past_three():
    points = [(x, 0.5, 0.4, 0.6) for x in (1, 3)]
    figure = plots.panels({name: {"sae": points, "hidden": points} for name in SETS[:10]}, "layer")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == SETS[:10] and figure.get_size_inches()[0] <= plots.WIDEST
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SAE features", "hidden states"]
    assert [bool(ax.get_xlabel()) for ax in shown] == [False] * 7 + [True] * 3


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_long_name_below_panels_stands_once_and_on_nothing(n):
    points = [(x, 0.5, 0.4, 0.6) for x in (1, 3)]
    figure = plots.panels({name: {"sae": points} for name in SETS[:n]}, "language of the test texts")
    figure.canvas.draw()
    (label,) = [ax.xaxis.label for ax in figure.axes if ax.get_visible() and ax.get_xlabel()]
    legend = figure.legends[0].get_window_extent()
    ticks = [t.get_window_extent() for ax in figure.axes for t in ax.get_xticklabels() if ax.get_visible()]
    assert not any(label.get_window_extent().overlaps(other) for other in (legend, *ticks))
    middle = (label.get_window_extent().x0 + label.get_window_extent().x1) / 2
    left, right = (figure.axes[i].get_window_extent() for i in (0, min(n, plots.COLUMNS) - 1))
    assert abs(middle - (left.x0 + right.x1) / 2) < 12


def test_a_finished_figure_is_shown_once_with_words_and_numbers(monkeypatch):
    from IPython.core.formatters import DisplayFormatter
    from matplotlib_inline.backend_inline import select_figure_formats

    shown = []
    for _ in range(2):
        shell = type("Shell", (), {"display_formatter": DisplayFormatter()})()
        select_figure_formats(shell, ["png", "svg"])
        monkeypatch.setattr("IPython.get_ipython", lambda shell=shell: shell)
        plots.style()
        figure = plots.finished(plots.curves({"sae": [(1, 0.5, 0.4, 0.6), (2, 0.6, 0.5, 0.7)]}, "layer"))
        shown.append(shell.display_formatter.format(figure)[0])
        assert matplotlib.pyplot.get_fignums() == [], "a closed figure is not shown a second time"
    assert shown[0] == shown[1] and set(shown[0]) == {"text/html", "text/plain"}
    assert "alt=" in shown[0]["text/html"] and "download=" in shown[0]["text/html"]

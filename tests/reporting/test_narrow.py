"""Panels laid out for a phone: one or two in a line, nothing of them lost, and everything back in its place."""

import contextlib
import io
import itertools
import re

import matplotlib.pyplot as plt
import pytest

from mosaic.reporting import drawn, figure_html, plots
from mosaic.reporting import narrow as narrow_module
from mosaic.reporting.narrow import ROOMY, STACKED, movable, narrow


def of_panels(n, columns=3):
    curve = {"sae": [(1, 0.5, 0.4, 0.6), (2, 0.6, 0.5, 0.7)], "hidden": [(1, 0.4, 0.3, 0.5), (2, 0.5, 0.4, 0.6)]}
    plots.style()
    return plots.finished(
        plots.panels({f"set {i}": curve for i in range(n)}, "share of the model's blocks", columns=columns)
    )


def picture(figure):
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


@pytest.mark.parametrize(("n", "in_a_line"), [(2, 1), (4, 1), (5, 2), (10, 2)])
def test_panels_stand_in_reading_order_with_all_their_names(n, in_a_line):
    figure = of_panels(n)
    panels = movable(figure)
    assert len(panels) == n
    with narrow(figure):
        assert figure.get_figwidth() == (STACKED, ROOMY)[in_a_line - 1]
        figure.draw_without_rendering()
        boxes = [ax.get_position() for ax in panels]
        assert [round(box.x0, 2) for box in boxes] == [round(boxes[i % in_a_line].x0, 2) for i in range(n)]
        assert all(boxes[i].y0 > boxes[i + in_a_line].y1 for i in range(n - in_a_line)), "the next line is lower"
        named = [bool(ax.get_ylabel()) for ax in panels]
        assert named == [i % in_a_line == 0 for i in range(n)], "left of each line"
        assert sum(ax.get_xlabel() == "share of the model's blocks" for ax in panels) == 1
        seen = [legend for legend in figure.legends if legend.get_visible()]
        assert [text.get_text() for text in seen[0].get_texts()] == ["SAE features", "hidden states"] and len(seen) == 1
        right = max(ax.get_tightbbox().x1 for ax in panels)
        assert right <= figure.bbox.x1 + 1, "nothing is cut"


def test_a_figure_is_the_same_picture_afterwards_and_when_saving_fails():
    figure = of_panels(7)
    before = picture(figure)
    with narrow(figure):
        assert picture(figure) != before
    assert picture(figure) == before
    with pytest.raises(OSError, match="full"), narrow(figure):
        raise OSError("full")
    assert picture(figure) == before


def test_a_figure_is_the_same_when_laying_it_out_fails(monkeypatch):
    figure = of_panels(3)
    before = picture(figure)
    monkeypatch.setattr(narrow_module, "_again", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), narrow(figure):
        pass
    assert picture(figure) == before


def test_a_legend_of_nothing_and_an_unseen_one_stay_as_they_are():
    figure = of_panels(3)
    figure.legends[0].set_visible(False)
    figure.legend([], [])
    before = picture(figure)
    assert figure_html.shown(figure).count("<img") == 2
    assert picture(figure) == before and not figure.legends[0].get_visible()


def test_names_of_axes_stand_where_they_stood():
    figure, axes = plt.subplots(1, 2)
    figure.set_layout_engine("none")  # one that is found step by step moves a little with each drawing
    plt.close(figure)
    for ax in axes:
        ax.plot([1, 2, 3], [1, 2, 3])
        ax.set_xlabel("x", loc="right")
        ax.set_ylabel("y", loc="top")
    before = picture(figure)
    figure_html.shown(figure)
    assert [ax.xaxis.label.get_ha() for ax in axes] == ["right", "right"] and picture(figure) == before


def test_panels_placed_by_hand_have_one_drawing():
    figure, axes = plt.subplots(1, 2)
    plt.close(figure)
    axes[0].set_position([0.1, 0.1, 0.2, 0.2])
    assert movable(figure) == []


def test_one_panel_keeps_its_height_and_its_long_name_takes_two_lines():
    figure, ax = plt.subplots(figsize=(7, 3))
    ax.set_xlabel("macro-F1 (test), binarised minus raw, the mean over the data sets")
    plots.finished(figure)
    with narrow(figure):
        assert tuple(figure.get_size_inches()) == (ROOMY, 3) and ax.get_xlabel().count("\n") == 1
    assert tuple(figure.get_size_inches()) == (7, 3) and "\n" not in ax.get_xlabel()


def test_what_cannot_move_has_one_drawing():
    with_scale, cells = plt.subplots(1, 2)[0], plt.subplots(figsize=(7, 4))[0]
    with_scale.colorbar(with_scale.axes[0].imshow([[0, 1]]), ax=with_scale.axes)
    cells.axes[0].pcolormesh([[0, 1], [1, 0]])
    by_hand = plt.figure()
    by_hand.add_axes((0.1, 0.1, 0.8, 0.8))
    for figure in (plt.figure(), with_scale, cells, by_hand, plt.subplots(figsize=(5.8, 3.6))[0]):
        plt.close(figure)
        assert movable(figure) == []
    assert figure_html.shown(plots.finished(cells)).count("<img") == 1


def test_the_second_drawing_is_hidden_where_no_style_sheet_shows_it_and_says_the_same():
    page = figure_html.shown(of_panels(3))
    first, second = re.findall(r"<img [^>]*?src=", page)
    assert " hidden alt=" in second and " hidden alt=" not in first
    said = [re.search(r'alt="([^"]*)"', one)[1] for one in (first, second)]
    assert said[0] == said[1] and "3 panels" in said[0]
    widths = [int(re.search(r'width="(\d+)"', one)[1]) for one in (first, second)]
    assert widths[1] < 380 < widths[0]


def test_numbers_along_a_panel_do_not_touch_and_the_rows_keep_them_all():
    kept = [2**i for i in range(9)]
    figure = plots.finished(
        plots.panels(
            {"a": {"sae": [(k, 0.5, 0.4, 0.6) for k in kept]}, "b": {"sae": [(1, 0.5, 0.4, 0.6)]}}, "latents kept"
        )
    )
    for inside in (contextlib.nullcontext(), narrow(figure)):
        with inside:
            figure.draw_without_rendering()
            seen = [name for name in figure.axes[0].get_xticklabels() if name.get_alpha() != 0]
            boxes = [name.get_window_extent() for name in seen]
            assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes)) and len(seen) == 5
    assert [row["x"] for row in drawn.rows(figure) if row["panel"] == "a"] == [str(k) for k in kept]

"""One style for all figures, made for a column of 688 px and for a phone: narrow drawings, words as large as the page's."""

from __future__ import annotations

from mosaic.reporting import figure_html
from mosaic.reporting.colours import INK, looks

WIDTH = 5.8  # inches of a figure of one panel: on a phone its words keep two thirds of their size
WIDEST = 7.0  # of one with several panels: as wide as the page's column
COLUMNS = 3  # panels in a line at the most
LEGEND = 10.5  # points


def style(
    names: tuple[str, ...] = ("sae", "hidden", "tfidf", "majority", "random", "tree", "length", "confidence"),
) -> None:
    """Set the style of all figures: seaborn, SVG with words beside it, no background, byte-identical from run to run."""
    import matplotlib
    import seaborn

    seaborn.set_theme(context="notebook", style="whitegrid", palette=[look.colour for look in looks(list(names))])
    matplotlib.rcParams.update(
        {
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "svg.hashsalt": "mosaic",
            "svg.fonttype": "path",
            "figure.figsize": (WIDTH, 3.6),
            "figure.constrained_layout.use": True,
            "legend.framealpha": 0.0,
            "legend.fontsize": LEGEND,
            "grid.alpha": 0.35,
            "axes.unicode_minus": True,
            **{key: INK for key in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")},
            "grid.color": INK,
        }
    )
    figure_html.show_in_notebooks()

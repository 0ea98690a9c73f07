"""Formulas drawn as one path each, in the colour of the words around them: pages and slides need no script for them.

matplotlib's mathtext sets them; the LaTeX is what a screen reader says.
"""

from __future__ import annotations

import html
import re

SIZE = 10  # points a line of words has, in which a formula is drawn
PADDING = 0.6
SAME = {  # what mathtext calls otherwise
    r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\|", r"\rVert": r"\|", r"\ge": r"\geq", r"\le": r"\leq", r"\ne": r"\neq",
    r"\big": "", r"\Big": "", r"\bigg": "", r"\bigl": "", r"\bigr": "", r"\displaystyle": "", r"\land": r"\wedge",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\to": r"\rightarrow",
}  # fmt: skip


def in_mathtext(latex: str) -> str:
    """LaTeX as mathtext takes it: other names for the same signs, short fractions in braces, words as upright letters."""
    latex = " ".join(latex.split())
    latex = re.sub(r"\\[td]?frac\s*(\w)\s*(\w)", r"\\frac{\1}{\2}", latex)
    latex = re.sub(r"\\[td]frac(?![a-zA-Z])", r"\\frac", latex)
    latex = re.sub(r"\\text\{([^{}]*)\}", lambda found: rf"\mathrm{{{found[1].replace(' ', chr(92) + ' ')}}}", latex)
    return re.sub(r"\\[a-zA-Z]+", lambda found: SAME.get(found[0], found[0]), latex)


def lines_of(latex: str) -> list[str]:
    """The lines of a displayed formula; what aligns them is left out."""
    inner = re.sub(r"\\(begin|end)\{(aligned|align\*?|split|gathered)\}", "", latex)
    return [line.replace("&", "").strip() for line in re.split(r"\\\\", inner) if line.strip()]


def svg(latex: str, said: str) -> str:
    """One line of LaTeX as inline SVG on the baseline of its line. Raises ValueError where mathtext cannot set it."""
    import matplotlib
    from matplotlib.textpath import TextPath

    with matplotlib.rc_context({"mathtext.fontset": "stix", "text.usetex": False}):
        path = TextPath((0, 0), f"${in_mathtext(latex)}$", size=SIZE)
    box = path.get_extents()
    left, top = box.x0 - PADDING, -box.y1 - PADDING
    width, height = box.width + 2 * PADDING, box.height + 2 * PADDING
    below = -box.y0 + PADDING
    drawn = " ".join(_commands(path))
    return (
        f'<svg role="img" aria-label="{html.escape(said, quote=True)}" viewBox="{left:.2f} {top:.2f} {width:.2f} {height:.2f}" '
        f'style="width:{width / SIZE:.3f}em;height:{height / SIZE:.3f}em;vertical-align:{-below / SIZE:.3f}em">'
        f'<path fill="currentColor" d="{drawn}"/></svg>'
    )


def _commands(path):
    letters = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
    for points, code in path.iter_segments(curves=True, simplify=False):
        if code == 79:
            yield "Z"
        else:
            pairs = points.reshape(-1, 2)
            yield letters[int(code)] + " ".join(f"{x:.2f} {-y:.2f}" for x, y in pairs)

"""Does "only in one of S SAEs" fall to nothing, or to a floor? f(S) = a S^b + c, with c free and with c = 0.

No form is known to be the true one: c is read far outside the data, and stands or falls with the power law. Latents that one SAE
in twenty finds again give, among eight SAEs, a c of .24 although all are found in time; there the law with a floor foretells
no better. Of latents that one SAE in a hundred finds, eight SAEs cannot know.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mosaic.errors import MosaicError

LEAST_POINTS = 4  # three parameters follow three points whatever they are
AHEAD = 2  # numbers of SAEs that a law must foretell
STEEPEST, FLATTEST = -10.0, -0.01  # of the exponent b; at the flat end the law is a logarithm, without any floor


def power_law(only_one: Mapping[int, float], floor: bool = True) -> dict[str, float]:
    """a S^b + c by least squares, c of any sign, or 0 with floor=False. {a, b, c, rmse}.

    For a given b, a and c follow in closed form; b is searched. Raises MosaicError for fewer than LEAST_POINTS points.
    """
    if len(only_one) < LEAST_POINTS:
        raise MosaicError(f"{len(only_one)} numbers of seeds; the fit of a S^b + c needs at least {LEAST_POINTS}.")
    from scipy.optimize import minimize_scalar

    s, y = np.array(list(only_one), float), np.array(list(only_one.values()), float)
    grid = -np.geomspace(-FLATTEST, -STEEPEST, 60)
    errors = [_solved(s, y, b, floor)[2] for b in grid]
    nearest = int(np.argmin(errors))
    around = grid[min(nearest + 1, len(grid) - 1)], grid[max(nearest - 1, 0)]
    b = float(minimize_scalar(lambda b: _solved(s, y, b, floor)[2], bounds=around, options={"xatol": 1e-9}).x)
    a, c, error = _solved(s, y, b, floor)
    return {"a": a, "b": b, "c": c, "rmse": float(np.sqrt(error / len(s)))}


def error_ahead(only_one: Mapping[int, float], floor: bool) -> float | None:
    """RMSE of foretelling the AHEAD largest numbers of SAEs from the law fitted to all smaller ones; None for too few."""
    sizes = sorted(only_one)
    seen, ahead = sizes[:-AHEAD], sizes[-AHEAD:]
    if len(seen) < LEAST_POINTS:
        return None
    fit = power_law({s: only_one[s] for s in seen}, floor)
    return float(np.sqrt(np.mean([(at(fit, s) - only_one[s]) ** 2 for s in ahead])))


def at(fit: Mapping[str, float], size: float) -> float:
    """The fitted law at a number of SAEs."""
    return fit["a"] * size ** fit["b"] + fit["c"]


def _solved(s: np.ndarray, y: np.ndarray, b: float, floor: bool) -> tuple[float, float, float]:
    """(a, c, sum of squared errors) of the best law of this exponent."""
    x = s**b
    if floor:
        a = float(np.dot(x - x.mean(), y - y.mean()) / np.dot(x - x.mean(), x - x.mean()))
        c = float(y.mean() - a * x.mean())
    else:
        a, c = float(np.dot(x, y) / np.dot(x, x)), 0.0
    return a, c, float(np.sum((a * x + c - y) ** 2))

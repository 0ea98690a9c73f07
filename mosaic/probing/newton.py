"""The solver of the linear probe: Newton's method, its steps by conjugate gradients, to a stated accuracy.

For rows z_i [r] with one-hot labels y_i [K] and weights s_i it minimises, over weights W [K, r] and intercepts b [K],

    F(W, b) = 1/2 |W|^2 + C sum_i s_i l(W z_i + b, y_i),

l the softmax cross-entropy (K >= 3 classes), or the logistic loss of the second of two classes (K = 1). F is
scikit-learn's objective times C sum_i s_i. It curves by at least 1 in every direction of W, so that W is no further
from the exact solution than the norm of the gradient: a gradient below tol |W| bounds W's relative error by tol,
whatever the scale of the columns and whatever C. (scikit-learn stops at an absolute gradient of the mean loss, which
for short rows and balanced classes holds before the first step.) Gradients are float64; the steps towards zero
gradient need not be exact, and multiply in float32. Source: Nocedal and Wright, Numerical Optimization, algorithm 7.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-3
STEPS = 100
SMALLEST = 1e-9  # C from which no easier problem is looked for
ROUNDING = 1e-13  # of the terms that a gradient adds up: less is nothing


@dataclass(frozen=True)
class Solution:
    """W [K, r] and b [K], found in n_steps.

    error: norm of the gradient over |W|, a bound of W's relative error; solved: that it is below the tolerance.
    exact: that conjugate gradients alone took too long or lost the curvature in rounding, and it was factored, or, where it
    is too large for that, steps were made in float64.
    """

    W: np.ndarray
    b: np.ndarray
    n_steps: int
    error: float
    solved: bool
    exact: bool


def minimise(rows, Y, s, C: float, start: Solution | None = None, tol=TOLERANCE, max_iter=STEPS) -> Solution:
    """The minimum of F. rows: `reduction.Rows`. Y: [K, n] labels. s: [n] weights. start: the solution of another C."""
    W = np.zeros((len(Y), rows.n_columns)) if start is None else start.W
    b = np.zeros(len(Y)) if start is None else start.b
    exact = start is not None and start.exact
    scores = rows.times(W) + b[:, None]
    P, loss = _predicted(scores, Y, s)
    for step in range(max_iter + 1):
        E = C * s * (P - Y)
        slope_W, slope_b = rows.back(E) + W, E.sum(1)
        of_b = max((C * s * P * (1 - P)).sum(1).mean(), ROUNDING)  # curvature of an intercept
        size, error = np.linalg.norm(W), _error(slope_W, slope_b, of_b)
        solved = bool(error <= max(tol * size, ROUNDING * max(C, 1) * rows.scale))
        if solved or step == max_iter:
            return Solution(W, b, step, float(error / size) if size else 0.0, solved, exact)
        factored = exact and rows.can_factor(len(Y))
        solve = rows.factor(C * s, P) if factored else lambda r_W, r_b, of_b=of_b: (r_W, r_b / of_b)
        # Each step is solved as exactly as it pays: roughly far from the end, near it as the end needs.
        target = max(0.3 * tol * size, min(0.1, error / (error + size)) * error)
        d_W, d_b, hard = _step(rows, C * s * P, P, slope_W, slope_b, of_b, solve, target, exact or step > 9)
        if hard and start is None and C > SMALLEST and not rows.can_factor(len(Y)):
            return minimise(rows, Y, s, C, minimise(rows, Y, s, C / 10, None, tol, max_iter), tol, max_iter)
        exact |= hard
        change = rows.times(d_W) + d_b[:, None]
        fall, before, t = (slope_W * d_W).sum() + slope_b @ d_b, size**2 / 2 + C * loss, 1.0
        P, loss = _predicted(scores + change, Y, s)
        while ((W + t * d_W) ** 2).sum() / 2 + C * loss > before * (1 + 1e-12) + 1e-4 * t * fall and t > 1e-9:
            t /= 2
            P, loss = _predicted(scores + t * change, Y, s)
        W, b, scores = W + t * d_W, b + t * d_b, scores + t * change


def _step(rows, weights, P, slope_W, slope_b, of_b: float, solve, target: float, careful: bool):
    """(d_W, d_b, hard): Newton's step by preconditioned conjugate gradients, until the residual is below target, or more
    products are made than two factorisations cost. careful: float64, for what is hard to solve: hard says that more
    were made than one costs, or that rounding made the curvature less than the 1 that it is at least."""
    kind = np.float64 if careful else np.float32
    others, weights, P = (1 - P).astype(kind), weights.astype(kind), P.astype(kind)
    d_W, d_b, r_W, r_b, n = np.zeros_like(slope_W), np.zeros_like(slope_b), -slope_W, -slope_b, 0
    p_W, p_b = z_W, z_b = solve(r_W, r_b)
    fall = (r_W * z_W).sum() + r_b @ z_b
    while n <= 2 * rows.cost_of_factor(len(P)):
        n += 1
        change = rows.times(p_W.astype(kind), rough=not careful) + p_b.astype(kind)[:, None]
        change = weights * (others * change if len(P) == 1 else change - (P * change).sum(0))
        h_W, h_b = rows.back(change, rough=not careful) + p_W, change.sum(1, dtype=np.float64)
        curvature = (p_W * h_W).sum() + p_b @ h_b
        if not curvature > 0.5 * (p_W**2).sum():
            return d_W, d_b, True
        a = fall / curvature
        d_W, d_b, r_W, r_b = d_W + a * p_W, d_b + a * p_b, r_W - a * h_W, r_b - a * h_b
        if _error(r_W, r_b, of_b) <= target:
            break
        z_W, z_b = solve(r_W, r_b)
        fall, before = (r_W * z_W).sum() + r_b @ z_b, fall
        p_W, p_b = z_W + fall / before * p_W, z_b + fall / before * p_b
    return d_W, d_b, n > rows.cost_of_factor(len(P))


def _predicted(scores: np.ndarray, Y: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, float]:
    """(probabilities [K, n], sum_i s_i l_i) of scores [K, n]."""
    if len(Y) == 1:
        small = np.exp(-np.abs(scores))
        P = np.where(scores >= 0, 1, small) / (1 + small)
        return P, float(((np.maximum(scores, 0) - Y * scores + np.log1p(small)) @ s).item())
    largest = scores.max(0)
    P = np.exp(scores - largest)
    total = P.sum(0)
    return P / total, float((largest + np.log(total) - (Y * scores).sum(0)) @ s)


def _error(slope_W, slope_b, of_b: float) -> float:
    """Norm of the gradient; an intercept's counts as its distance from the end, where it curves by less than 1."""
    return max(np.linalg.norm(slope_W), np.linalg.norm(slope_b) / min(1.0, of_b))

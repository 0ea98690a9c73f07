"""The shape of membership counts, and whether "only in one" falls to a floor: figures, intervals, sentences.

shares: [S], of latents in exactly 1, ..., S of the SAEs (`Presence`). Every figure has an interval over latents (families
drawn with replacement), one over SAEs (each left out in turn, as a reference and as a partner), and, as `interval`, what
covers both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mosaic.agreement import floor
from mosaic.agreement.presence import Presence, only_in_one
from mosaic.agreement.resampling import DRAWS, jackknife, quantiles, widest
from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.wording import between, side, signed

HALF = 0.5
FLOOR_DRAWS = 400  # fits of a bootstrap


def right_end(shares: np.ndarray) -> float | None:
    """By how much more latents are in all SAEs than in each number between one and all, on average."""
    return float(shares[-1] - shares[1:-1].mean()) if len(shares) > 2 else None


def left_end(shares: np.ndarray) -> float | None:
    """By how much more latents are in one SAE only than in each number between one and all, on average."""
    return float(shares[0] - shares[1:-1].mean()) if len(shares) > 2 else None


def both_ends(shares: np.ndarray) -> float | None:
    """The share of latents in one SAE only or in all; None where nothing lies between."""
    return float(shares[0] + shares[-1]) if len(shares) > 2 else None


def fitted_floor(shares: np.ndarray) -> float | None:
    """c of a S^b + c, fitted to the share in only one; None for too few numbers of SAEs."""
    curve = only_in_one(shares)
    return floor.power_law(curve)["c"] if len(curve) >= floor.LEAST_POINTS else None


def measured(presence: Presence, figure: Callable[[np.ndarray], float | None], draws: int = DRAWS) -> dict:
    """{value, latents, seeds, interval}: a figure of the shares with its intervals; all None where it does not exist."""
    value = figure(presence.shares)
    if value is None:
        return dict.fromkeys(("value", "latents", "seeds", "interval"))
    latents = quantiles(np.array([figure(shares) for shares in presence.resampled_shares(draws)]))
    seeds = jackknife(value, [figure(presence.without(i).shares) for i in range(len(presence))]).interval()
    return {"value": value, "latents": latents, "seeds": seeds, "interval": widest(latents, seeds)}


def u_shape(presence: Presence, draws: int = DRAWS) -> dict:
    """Both parts of "most latents are in one SAE or in all, fewest between": the right end rises, the ends are a majority.

    left_end tells a U from counts that rise to the right alone.
    """
    figures = {"right_end": right_end, "ends": both_ends, "left_end": left_end}
    return {name: measured(presence, figure, draws) for name, figure in figures.items()}


def floor_record(presence: Presence) -> dict:
    """The fit with a free floor and with none, how well each predicts larger numbers of SAEs, and c with its intervals.

    interval: what decides. It is c's, reaching to 0 where the law with a floor predicts no better than the one without:
    then the fit of c is no reason to believe in a floor.
    """
    curve = only_in_one(presence.shares)
    enough = len(curve) >= floor.LEAST_POINTS
    ahead = {"floor": floor.error_ahead(curve, True), "without": floor.error_ahead(curve, False)}
    c = measured(presence, fitted_floor, FLOOR_DRAWS)
    return {
        "fit": floor.power_law(curve) if enough else None,
        "without": floor.power_law(curve, floor=False) if enough else None,
        "error_ahead": ahead,
        "c": c,
        "interval": deciding(c["interval"], ahead),
    }


def deciding(interval: list[float] | None, ahead: Mapping[str, float | None]) -> list[float] | None:
    """c's interval, with 0 in it where a floor does not help to predict; None where either is not known."""
    if interval is None or None in ahead.values():
        return None
    helps = ahead["floor"] < ahead["without"]
    return interval if helps or interval[0] <= 0 else [0.0, interval[1]]


def u_sentence(found: Mapping[str, Mapping], n_seeds: int) -> str:
    """What shape the counts have, by both parts of the statement."""
    right, ends = found["right_end"], found["ends"]
    if right["value"] is None:
        return f"With {n_seeds} SAEs nothing lies between one and all, so the counts have no shape."
    if right["interval"] is None or ends["interval"] is None:
        return (
            f"With {n_seeds} SAEs there is no interval over SAEs, so these are point estimates: the share in all is "
            f"{signed(right['value'])} over the mean share in each number between, and the two ends together hold "
            f"{shown(ends['value'])}."
        )
    parts = {
        "above": "More latents are in all SAEs than, on average, in each number between one and all",
        "below": "Fewer latents are in all SAEs than, on average, in each number between one and all",
        "between": "Whether more latents are in all SAEs than, on average, in each number between one and all cannot be told",
    }
    halves = {
        "above": "The two ends together hold most latents",
        "below": "The two ends together do not hold most latents",
        "between": "Whether the two ends together hold most latents cannot be told",
    }
    rises, half = side(right["interval"], 0), side(ends["interval"], HALF)
    u = (
        "The counts are a U"
        if side(found["left_end"]["interval"], 0) == "above"
        else "The counts rise to the right alone"
    )
    verdict = {
        ("above", "above"): u,
        ("above", "below"): "The right end rises, but most latents lie between",
        ("below", "above"): "The counts are an L, no U",
    }.get((rises, half))
    if verdict is None:
        verdict = (
            "The counts are no U" if "below" in (rises, half) else "The counts cannot be told from a U, nor from none"
        )
    return (
        f"{verdict}. {parts[rises]} ({signed(right['value'])}, {between(right['interval'], signed)}). {halves[half]} "
        f"({shown(ends['value'])}, {between(ends['interval'])}; a majority is more than {shown(HALF)})."
    )


def floor_sentence(found: Mapping) -> str:
    """Whether a share stays the property of one SAE, so far as the power law holds."""
    c, errors, interval = found["c"], found["error_ahead"], found["interval"]
    if c["value"] is None:
        return f"Too few SAEs for a fit: the floor is {NOT_MEASURED}."
    text = f"Fitted without bounds, c is {signed(c['value'])} ({between(c['interval'], signed)})"
    if interval is None:
        return f"{text}: a point estimate, since so few SAEs give no interval."
    better = "better" if errors["floor"] < errors["without"] else "no better"
    said = {
        "above": "As far as the law holds, some latents stay the property of one SAE",
        "below": "As far as the law holds, there is no floor, and more SAEs would find everything again",
        "between": "Whether there is a floor cannot be told",
    }[side(interval, 0)]
    return (
        f"{text}; fitted to fewer SAEs, the law with a floor predicts the {floor.AHEAD} largest numbers {better} than the law "
        f"without one (errors of {errors['floor']:.4f} and {errors['without']:.4f}). {said}."
    )

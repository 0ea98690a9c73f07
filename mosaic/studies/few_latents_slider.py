"""The number of latents, moved by hand: the score of the k latents that differ most between the classes, and which they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic import numerals
from mosaic.probing import examine
from mosaic.probing.estimators import MeanDifferenceSelector
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.reporting import sliders, tables
from mosaic.reporting.slider_drawing import Chart, Level, Line, scores_axis
from mosaic.reporting.sliders import Case, Place

NAMED = 16  # latents that are named one by one
FEW, EVERY = "SAE, k latents", "all latents"


def ranked(problem: Problem, result: Result, n: int = NAMED) -> tuple[str, ...]:
    """The names (layer_3/width_1k/17) of the n latents of the table a linear result reads whose class means differ most in the
    training texts, the largest difference first: the k-sparse probe on k of them has the first k."""
    candidate = examine.candidate_of(problem, result)
    rows = np.arange(len(problem.train))
    x, _, columns = candidate.matrices(rows, rows[:1], result.threshold)
    scores = MeanDifferenceSelector(n).fit(x, problem.train.labels).scores_
    order = np.argsort(-scores, kind="stable")[:n]
    return tuple(f"{candidate.table.column_prefix}/{latent}" for latent in np.asarray(columns)[order])


def slider(few: Mapping[str, Mapping], latents: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> tables.Html:
    """few: {set: `FewLatents.row`}. latents: {set: `ranked`}. names: {latent: what it tracks}, empty where that is not known."""
    axis = scores_axis(value for found in few.values() for value in drawn(found))
    cases = [case(title, found, latents.get(title, ()), names, axis) for title, found in few.items()]
    columns = {
        "set": "set",
        "k": "k",
        "macro_f1": "macro-F1, k latents",
        "within": "95 %",
        "all": "macro-F1, all latents",
    }
    columns["latent"] = "latents that come in"
    rows = [row for title, found in few.items() for row in _rows(title, found, latents.get(title, ()), names)]
    return sliders.figure("Latents kept, k", cases, rows, columns)


def drawn(found: Mapping) -> list[float]:
    """Every score of one set's figure."""
    return [point[key] for point in found["curve"] for key in ("low", "high", "macro_f1")] + [every_of(found)]


def case(title: str, found: Mapping, latents: Sequence[str], names: Mapping[str, str], axis: Mapping) -> Case:
    """One set's figure. It starts at the size that validation chose, or at the first. axis: of `scores_axis`."""
    curve, every = found["curve"], every_of(found)
    chart = Chart(
        "latents kept, k",
        "macro-F1 (test)",
        x_ticks=[(where(i, curve), f"{point['k']}") for i, point in enumerate(curve)],
        lines=[Line(FEW, [(where(i, curve), point["macro_f1"]) for i, point in enumerate(curve)])],
        levels=[Level(EVERY, every)],
        **axis,
    )
    said = (
        f"Line: macro-F1 on {title} of a probe on the k latents that differ most between the classes, by k, doubled at each "
        "step; a mark with its 95 % interval at the k chosen; beside it the level of all latents."
    )
    sizes = [point["k"] for point in curve]
    return Case(
        title.removeprefix("mini/"),
        said,
        chart,
        [place(i, found, latents) for i in range(len(curve))],
        [named(latent, names) for latent in latents],
        marks_said(sizes, latents),
        appear=True,
        start=sizes.index(found["k"]) if found["k"] in sizes else 0,
    )


def place(i: int, found: Mapping, latents: Sequence[str]) -> Place:
    """One size: its score, and the latents it has."""
    point, every = found["curve"][i], every_of(found)
    score = point["macro_f1"], point["low"], point["high"]
    k = point["k"]
    said = (
        f"{k} {'latent' if k == 1 else 'latents'}: macro-F1 {numerals.with_interval(*score)}; all latents "
        f"{numerals.shown(every)}."
    )
    if k == found["k"]:
        said += " This is the smallest k that validation cannot tell from all latents."
    marks = dict.fromkeys(range(min(k, len(latents))), "")
    return Place(f"{k}", said, where(i, found["curve"]), [score], marks=marks)


def every_of(found: Mapping) -> float:
    """The score of all latents on a set's first part."""
    return next(iter(found["parts"].values()))["all"]


def where(i: int, curve: Sequence) -> float:
    """The place of a size on the axis: equal steps."""
    return (i + 0.5) / len(curve)


def named(latent: str, names: Mapping[str, str]) -> str:
    """Its number, and what it tracks where that is known."""
    name = names.get(latent)
    number = latent.rsplit("/", 1)[-1]
    return f"{number}: {name}" if name else f"latent {number}"


def marks_said(sizes: Sequence[int], latents: Sequence[str]) -> str:
    """What the names under the figure are."""
    most = f" ({len(latents)} at most)" if max(sizes) > len(latents) else ""
    return f"The latents, the largest difference between class means first{most}:" if latents else ""


def _rows(title: str, found: Mapping, latents: Sequence[str], names: Mapping[str, str]) -> list[dict]:
    rows, before = [], 0
    for point in found["curve"]:
        fresh = latents[before : point["k"]]
        more = point["k"] - max(before, len(latents))
        words = [named(latent, names) for latent in fresh] + ([f"and {more} more"] if latents and more > 0 else [])
        rows.append(
            {
                "set": title,
                "k": point["k"],
                "macro_f1": float(point["macro_f1"]),
                "within": numerals.interval(point["low"], point["high"]),
                "all": float(every_of(found)),
                "latent": "; ".join(words),
            }
        )
        before = point["k"]
    return rows

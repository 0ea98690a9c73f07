"""The binarisation threshold, moved by hand: score, share kept, and what is left of one text at every threshold of the sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic import numerals
from mosaic.features.extract import token_codes
from mosaic.interpretation.shown import token_texts
from mosaic.models.language import LanguageModel
from mosaic.reporting import sliders, tables
from mosaic.reporting.slider_drawing import Chart, Level, Line, scores_axis
from mosaic.reporting.sliders import Case, Place
from mosaic.saes.encoder import Encoder
from mosaic.texts.labelled import LabelledTexts

LONGEST = 110  # characters of a text that is shown token by token, where a set has one as short
MOST_TOKENS = 48
SAME = 0.0005  # share kept, up to which two thresholds of one score draw the same
BINARISED, RAW = "SAE, sums binarised", "raw sums, with their 95 %"
TICKS = tuple((1 - share, f"{share:.0%}") for share in (1.0, 0.75, 0.5, 0.25, 0.0))


@dataclass(frozen=True, eq=False)
class Example:
    """One text, token by token. label: its class. tokens: [T]. sums: [L], each active latent's sum over the tokens, which is its
    pooled value. peak: [L], the token at which it is largest; of equal ones the first."""

    label: str
    tokens: tuple[str, ...]
    sums: np.ndarray
    peak: np.ndarray

    def left(self, threshold: float) -> np.ndarray:
        """[T]: of the latents that are largest at each token, how many have a sum above the threshold."""
        return np.bincount(self.peak[self.sums > threshold], minlength=len(self.tokens))


def example(test: LabelledTexts, lm: LanguageModel, encoder: Encoder) -> Example:
    """The first test text that is short enough to be shown, read token by token; the shortest where none is."""
    short = [row for row, text in enumerate(test.texts) if len(text) <= LONGEST]
    row = short[0] if short else min(range(len(test)), key=lambda i: len(test.texts[i]))
    (tokens,) = token_texts([test.texts[row]], lm)
    _, codes = token_codes(test.texts[row], lm, encoder)
    active = np.flatnonzero(np.asarray(codes.getnnz(axis=0)))
    values = codes[:, active].toarray()
    return Example(str(test.labels[row]), tokens, values.sum(0), values.argmax(0))


def slider(sweeps: Mapping[str, Mapping], raw: Mapping[str, Mapping], examples: Mapping[str, Example]) -> tables.Html:
    """sweeps: {set: `examine.threshold_sweep`}. raw: {set: the row of raw sums}. examples: {set: its text}; a set may have none."""
    every = {title: points(sweep) for title, sweep in sweeps.items()}
    axis = scores_axis(value for title, found in every.items() for value in drawn(found, raw[title]))
    cases = [case(title, every[title], raw[title], examples.get(title), axis) for title in sweeps]
    columns = {
        "set": "set",
        "threshold": "threshold",
        "kept": "share of active values kept",
        "macro_f1": "macro-F1, binarised",
        "within": "95 %",
        "raw": "macro-F1, raw",
    }
    if examples:
        columns["left"] = "latents left in the text"
    rows = [_row(title, point, raw[title], examples.get(title)) for title, found in every.items() for point in found]
    return sliders.figure("Threshold", cases, rows, columns)


def points(sweep: Mapping) -> list[Mapping]:
    """Every threshold of a sweep once, the published one among them, the lowest first."""
    found = {point["threshold"]: point for point in (sweep["published"], *sweep["curve"])}
    return [found[threshold] for threshold in sorted(found)]


def apart(found: Sequence[Mapping]) -> list[Mapping]:
    """Thresholds of which each shows another picture than the one before: of those that keep the same and score the same there is one,
    the highest, with `above`, the lowest of them."""
    kept: list[Mapping] = []
    for point in found:
        last = kept[-1] if kept else None
        if last and last["macro_f1"] == point["macro_f1"] and abs(last["kept"] - point["kept"]) < SAME:
            kept[-1] = {**point, "above": last.get("above", last["threshold"])}
        else:
            kept.append(point)
    return kept


def drawn(found: Sequence[Mapping], raw: Mapping) -> list[float]:
    """Every score of one set's figure."""
    return [v for row in (*found, raw) for key in ("macro_f1", "low", "high") if (v := row.get(key)) is not None]


def case(title: str, found: Sequence[Mapping], raw: Mapping, text: Example | None, axis: Mapping) -> Case:
    """One set's figure. It starts where the share that is kept is nearest to a half. axis: of `scores_axis`."""
    found = apart(found)
    chart = Chart(
        "share of active values kept",
        "macro-F1 (test)",
        x_ticks=TICKS,
        lines=[Line(BINARISED, [(1 - point["kept"], point["macro_f1"]) for point in found])],
        levels=[Level(RAW, raw["macro_f1"], raw.get("low"), raw.get("high"))],
        **axis,
    )
    said = (
        f"Line: macro-F1 of binarised sums on {title}, by the share of active values that the threshold keeps, all at the left, "
        "none at the right; a mark with its 95 % interval at the threshold chosen; beside it the level of raw sums."
    )
    tokens = () if text is None else tuple(map(visible, text.tokens[:MOST_TOKENS]))
    start = min(range(len(found)), key=lambda i: abs(found[i]["kept"] - 0.5))
    return Case(
        title.removeprefix("mini/"),
        said,
        chart,
        [place(point, raw, text) for point in found],
        tokens,
        "" if text is None else marks_said(text),
        start=start,
    )


def place(point: Mapping, raw: Mapping, text: Example | None) -> Place:
    """One threshold."""
    score = point["macro_f1"], point.get("low", point["macro_f1"]), point.get("high", point["macro_f1"])
    label = " to ".join(numerals.shown(float(point[key])) for key in ("above", "threshold") if key in point)
    said = (
        f"Threshold {label}: {numerals.share(point['kept'])} of the active values are kept. Macro-F1 "
        f"{numerals.with_interval(*score)} binarised, {numerals.shown(raw['macro_f1'])} raw."
    )
    if text is None:
        return Place(label, said, 1 - point["kept"], [score])
    left = text.left(point["threshold"])
    lit = {token: f"{n}" for token, n in enumerate(left.tolist()[:MOST_TOKENS]) if n}
    said += f" In the text below the figure, {left.sum()} of {len(text.sums)} active latents stay on."
    return Place(label, said, 1 - point["kept"], [score], marks=lit)


def marks_said(text: Example) -> str:
    """What the tokens under the figure are."""
    cut = f" Its first {MOST_TOKENS} tokens are shown." if len(text.tokens) > MOST_TOKENS else ""
    return (
        f"A test text, labelled “{text.label}”. Each active latent is counted at the token on which it is strongest; the number says how "
        f"many of a token's latents stay on. Dashed: none does.{cut}"
    )


def visible(token: str) -> str:
    """A token as it stands in the text; one of white space alone as its sign."""
    return token.strip() or "␣"


def _row(title: str, point: Mapping, raw: Mapping, text: Example | None) -> dict:
    within = None if point.get("low") is None else numerals.interval(point["low"], point["high"])
    left = {} if text is None else {"left": int(text.left(point["threshold"]).sum())}
    return {"set": title, **{key: float(point[key]) for key in ("threshold", "kept", "macro_f1")}, "within": within,
            "raw": float(raw["macro_f1"]), **left}  # fmt: skip

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
from mosaic.reporting.slider_drawing import Chart, Level, Line
from mosaic.reporting.sliders import Case, Place
from mosaic.saes.encoder import Encoder
from mosaic.texts.labelled import LabelledTexts

LONGEST = 110  # characters of a text that is shown token by token, where a set has one as short
MOST_TOKENS = 48
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
    cases = [case(title, every[title], raw[title], examples.get(title)) for title in sweeps]
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


def case(title: str, found: Sequence[Mapping], raw: Mapping, text: Example | None) -> Case:
    """One set's figure. It starts where the share that is kept is nearest to a half."""
    scores = [
        value for row in (*found, raw) for key in ("macro_f1", "low", "high") if (value := row.get(key)) is not None
    ]
    span = max(0.0, np.floor(min(scores) * 10) / 10), min(1.0, np.ceil(max(scores) * 10) / 10)
    step = 0.1 if span[1] - span[0] <= 0.6 else 0.2
    ticks = [(float(v), f"{v:.1f}") for v in np.arange(round(span[0] / step) * step, span[1] + 1e-9, step)]
    chart = Chart(
        "share of active values kept",
        "macro-F1 (test)",
        (float(span[0]), float(span[1])),
        TICKS,
        [tick for tick in ticks if tick[0] >= span[0] - 1e-9],
        lines=[Line(BINARISED, [(1 - point["kept"], point["macro_f1"]) for point in found])],
        levels=[Level(RAW, raw["macro_f1"], raw.get("low"), raw.get("high"))],
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
    label = numerals.shown(float(point["threshold"]))
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
        f"A test text, labelled “{text.label}”. The number at a token: how many latents that are largest there stay on. "
        f"Dashed: none does.{cut}"
    )


def visible(token: str) -> str:
    """A token as it stands in the text; one of white space alone as its sign."""
    return token.strip() or "␣"


def _row(title: str, point: Mapping, raw: Mapping, text: Example | None) -> dict:
    within = None if point.get("low") is None else numerals.interval(point["low"], point["high"])
    left = {} if text is None else {"left": int(text.left(point["threshold"]).sum())}
    return {"set": title, **{key: float(point[key]) for key in ("threshold", "kept", "macro_f1")}, "within": within,
            "raw": float(raw["macro_f1"]), **left}  # fmt: skip

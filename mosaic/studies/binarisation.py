"""On or off: what keeping only whether a pooled latent exceeds a threshold does to the score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic import numerals
from mosaic.probing import comparison, examine, scores
from mosaic.probing.narrowed import SIZES
from mosaic.probing.scores import Difference
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.reporting.colours import INK
from mosaic.reporting.results import shown
from mosaic.studies import binarisation_slider, feature_selection, leads, paper_values
from mosaic.studies.binarisation_slider import Example
from mosaic.studies.feature_selection import FeatureSelection
from mosaic.studies.problems import CACHE, check_among, opened, problems
from mosaic.studies.study import Study
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED_THRESHOLD = 1.0
SWEPT = "sum"  # the pooling whose whole threshold curve is drawn
COUNTS = "top20"  # the pooling of the published statement on counts
KINDS = {"tuned": "threshold chosen on validation", "published": f"threshold {PUBLISHED_THRESHOLD}"}
WORDS = {SWEPT: "sums", "mean": "means", "max": "maxima", "count": "counts", COUNTS: "top-20 counts"}  # in sentences
NEARLY = 0.05  # a threshold that lets through all but this share, or this share only, hardly divides

Differences = dict[
    str, dict[str, Difference]
]  # {"tuned" (t chosen on validation) or "published" (t = 1.0): {pooling: D}}


@dataclass(frozen=True)
class Binarisation(Study):
    """D(p) = F(1[x > t]) - F(x): macro-F1 on test of binarised minus raw SAE features of pooling p.

    rows: one a set, pooling and form (raw; binarized; published: binarised at 1.0), each with a C of its own, with the
    set's title. differences: means over the sets, on the first part of each test; new_words: on the new words of those
    that have them, no pooling where none has. kept: {set: {pooling: share of active training values above 1.0}}.
    sweeps: {set: score against the threshold}. selection: binarised sums beside selected ones, score and cost. examples: {set: a
    text of it, token by token}, for the slider alone.
    """

    name: ClassVar[str] = "binarisation"

    rows: tuple[dict, ...]
    differences: Differences
    new_words: Differences
    kept: dict[str, dict[str, float]]
    sweeps: dict[str, dict]
    selection: FeatureSelection
    examples: dict[str, Example] = field(default_factory=dict)

    def summary(self) -> dict:
        sets: dict[str, dict] = {}
        for row in self.rows:
            forms = sets.setdefault(row["set"], {}).setdefault(row["pooling"], {})
            forms[row["form"]] = {key: value for key, value in row.items() if key not in ("set", "form")}
        return {
            "layer": self.profile.middle,
            "sets": sets,
            "n_sets": len(sets),
            "difference": _recorded(self.differences),
            "difference_new_words": _recorded(self.new_words),
            "mean": mean_over_sets(self.rows),
            "mean_new_words": mean_over_sets(self.rows, NEW),
            "kept": mean_kept(self.kept),
            "kept_by_set": self.kept,
            "sweeps": self.sweeps,
            "mean_curve": [{"kept": kept, "difference": d} for kept, d in self.mean_curve],
            "selection": self.selection.summary(),
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        kept = mean_kept(self.kept)
        found = {
            f"{kind}_{pooling}": difference_sentence(pooling, kind, d, self.new_words[kind].get(pooling))
            for kind, by_pooling in self.differences.items()
            for pooling, d in by_pooling.items()
        }
        without = {f"{kind}_{COUNTS}": counts_sentence(kept) for kind in KINDS if f"{kind}_{COUNTS}" not in found}
        curve = curve_sentence(self.mean_curve)
        return {
            **found,
            **without,
            "kept": kept_sentence(SWEPT, kept[SWEPT]),
            "counts": counts_sentence(kept),
            "curve": curve,
        }

    def figure(self) -> Figure:
        """Binarised minus raw, a line a pooling, one colour a way to set the threshold; hollow what the paper published, over
        its own sets."""
        rows = [
            {"set": pooling, "features": KINDS[kind], "macro_f1": d.difference, "low": d.low, "high": d.high}
            for kind, by_pooling in self.differences.items()
            for pooling, d in by_pooling.items()
        ]
        rows += paper_values.binarising(self.differences["published"])
        label = "macro-F1, binarised minus raw (mean over sets, 95 % interval)"
        return plots.finished(plots.intervals(rows, label, zero=True))

    def threshold_curve(self) -> Figure:
        """Binarised minus raw sums against the share of active values above the threshold, a line a set."""

        def above_raw(title: str, point: Mapping) -> tuple[float, float]:
            return point["kept"], point["macro_f1"] - self._raw(title)["macro_f1"]

        lines = {title: dict(above_raw(title, p) for p in sweep["curve"]) for title, sweep in self.sweeps.items()}
        dots = {title: above_raw(title, sweep["published"]) for title, sweep in self.sweeps.items()}
        label = "macro-F1 (test), binarised minus raw"
        ax = plots.steps(lines, "share of active values above the threshold", label, marks=dots)
        ax.axhline(0, color=INK, linewidth=1)
        ax.invert_xaxis()
        return plots.finished(ax)

    def threshold_slider(self) -> tables.Html:
        """One set at a time: score, share kept and what is left of a text, as the threshold moves."""
        raw = {title: self._raw(title) for title in self.sweeps}
        return binarisation_slider.slider(self.sweeps, raw, self.examples)

    def table(self) -> tables.Html:
        """Means over the sets, raw and binarised, and both differences."""
        kept = mean_kept(self.kept)
        rows = [
            {
                "pooling": pooling,
                **means,
                **{kind: cell(by_pooling[pooling]) for kind, by_pooling in self.differences.items()},
                **{f"{kind} new": cell(by_pooling.get(pooling)) for kind, by_pooling in self.new_words.items()},
                "kept": kept[pooling],
            }
            for pooling, means in mean_over_sets(self.rows).items()
        ]
        columns = {"pooling": "pooling", "raw": "raw", "binarized": "binarised", **KINDS}
        if any(self.new_words.values()):
            columns |= {f"{kind} new": f"{heading}, {NEW}" for kind, heading in KINDS.items()}
        return tables.table(rows, {**columns, "kept": f"share above {PUBLISHED_THRESHOLD}"})

    @property
    def mean_curve(self) -> list[tuple[float, float]]:
        """(share of active values kept, binarised minus raw sums), means over the sets at each step of the thresholds."""
        steps = min(len(sweep["curve"]) for sweep in self.sweeps.values())
        points = [
            [(p["kept"], p["macro_f1"] - self._raw(title)["macro_f1"]) for p in sweep["curve"][:steps]]
            for title, sweep in self.sweeps.items()
        ]
        return [(kept, d) for kept, d in np.mean(points, axis=0).tolist()]

    def _raw(self, title: str) -> dict:
        wanted = (title, SWEPT, "raw")
        return next(row for row in self.rows if (row["set"], row["pooling"], row["form"]) == wanted)


def run(
    profile: str | Profile,
    *,
    poolings: Sequence[str] | None = None,
    kept_latents: Sequence[int] = SIZES,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Binarisation:
    """Compare raw and binarised SAE features of the profile's middle layer; `poolings` (None: all that the profile
    computes) must hold sum. kept_latents: how many feature selection may keep.

    Raises MosaicError where it does not, or where the profile lacks one of the poolings.
    """
    check_among(poolings or (SWEPT,), SWEPT)
    profile, lm = opened(profile, device)
    poolings = tuple(poolings or profile.poolings)
    check_among(poolings, SWEPT)
    rows, sweeps, kept, selected, examples = [], {}, {}, [], {}
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    cases, new_cases = ({kind: {pooling: [] for pooling in poolings} for kind in KINDS} for _ in range(2))
    here = {"layers": [profile.middle], "widths": [profile.width], "poolings": poolings}
    for title, problem in problems(profile, lm, **here, cache=cache):
        found = comparison.evaluate(problem, families=["sae"], trees=False)
        results = {(r.setting.pooling, r.setting.binarized): r for r in found}
        published = examine.binarised_at(problem, poolings, PUBLISHED_THRESHOLD)
        kept[title] = {}
        for pooling in poolings:
            raw, tuned = results[pooling, False], results[pooling, True]
            for kind, binarised in (("tuned", tuned), ("published", published[pooling])):
                cases[kind][pooling].append(scores.paired(problem.test, binarised, raw))
                if NEW in problem.test.part_rows():
                    new_cases[kind][pooling].append(scores.paired(problem.test, binarised, raw, NEW))
            forms = {"raw": raw, "binarized": tuned, "published": published[pooling]}
            rows += [{"set": title, "form": form, **result.row()} for form, result in forms.items()]
            values = examine.active_values(problem, pooling)
            kept[title][pooling] = examine.share_kept(values, PUBLISHED_THRESHOLD)
        sweeps[title] = examine.threshold_sweep(problem, SWEPT, published=PUBLISHED_THRESHOLD)
        examples[title] = binarisation_slider.example(problem.test, lm, encoder)
        every = results[SWEPT, False], results[SWEPT, True], published[SWEPT]
        selected.append(feature_selection.one_set(title, problem, *every, kept_latents))
    selection = FeatureSelection(tuple(selected), SWEPT, tuple(kept_latents))
    found = _differences(cases), _differences(new_cases)
    return Binarisation(profile, tuple(rows), *found, kept, sweeps, selection, examples)


def _differences(cases: Mapping[str, Mapping[str, list]]) -> Differences:
    """Means over the sets, their intervals over sets and texts; a pooling without a set is left out."""
    return {
        kind: {pooling: scores.compare_over_sets(found) for pooling, found in by_pooling.items() if found}
        for kind, by_pooling in cases.items()
    }


def _recorded(differences: Differences) -> dict:
    return {
        kind: {pooling: d.summary() for pooling, d in by_pooling.items()} for kind, by_pooling in differences.items()
    }


def mean_over_sets(rows: Iterable[Mapping], part: str | None = None) -> dict[str, dict[str, float]]:
    """{pooling: {form: mean macro-F1 over the sets, on one part of their tests (None: the first)}}."""
    rows = list(rows)
    poolings = dict.fromkeys(row["pooling"] for row in rows)
    return {p: leads.mean_of([row for row in rows if row["pooling"] == p], "form", part) for p in poolings}


def mean_kept(kept: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """{pooling: share of active values above the published threshold, mean over the sets}."""
    poolings = next(iter(kept.values()))
    return {pooling: float(np.mean([shares[pooling] for shares in kept.values()])) for pooling in poolings}


def cell(d: Difference | None) -> str | None:
    return None if d is None else numerals.with_interval(d.difference, d.low, d.high, sign=True)


# --- sentences ---------------------------------------------------------------------------------------------------


def said_of(pooling: str) -> str:
    """A pooling as sentences name its features."""
    return WORDS.get(pooling, f"{pooling} features")


def difference_sentence(pooling: str, kind: str, d: Difference, new: Difference | None) -> str:
    """Whether binarising one pooling helps, hurts or makes no difference that can be told. kind: a key of KINDS."""
    how, by = f"binarising {said_of(pooling)}, {KINDS[kind]},", leads.told(d)
    said = leads.side(
        d,
        above=f"On average over the sets, {how} helps: {by}.",
        below=f"On average over the sets, {how} hurts: {by}.",
        level=f"On average over the sets, {how} makes no difference that can be told: {by}.",
    )
    return said + leads.on_new_words(new)


def kept_sentence(pooling: str, kept: float) -> str:
    """What the published threshold does to this profile's activations. kept: share of active values above it."""
    share = "all" if kept == 1 else "all but a few" if kept > 0.9995 else numerals.share(kept)
    start = f"Of the active values of {said_of(pooling)}, {share} lie above {PUBLISHED_THRESHOLD}"
    if kept > 1 - NEARLY:
        return f"{start}: here the published threshold asks hardly more than whether a latent was active at all."
    if kept < NEARLY:
        return f"{start}: here the published threshold leaves hardly anything."
    return f"{start}: here the published threshold does divide, but at another place than in Gemma Scope's units."


def counts_sentence(kept: Mapping[str, float]) -> str:
    """The same for counts, whose unit is the token. kept: {pooling: share}."""
    if COUNTS not in kept:
        return f"This run has no {WORDS[COUNTS]}."
    return (
        f"For {WORDS[COUNTS]}, whose unit is a token in every model, above {PUBLISHED_THRESHOLD} means in two tokens or "
        f"more, which holds for {shown(kept[COUNTS])} of the active values."
    )


def curve_sentence(curve: Sequence[tuple[float, float]]) -> str:
    """Where along the thresholds binarised sums score highest on average. curve: (share kept, binarised minus raw)."""
    best = max(range(len(curve)), key=lambda i: curve[i][1])
    kept, d = curve[best]
    at = f"{shown(d, sign=True)} beside raw sums"
    if best == 0:
        where = f"where everything active is kept ({at})"
    elif best == len(curve) - 1:
        where = f"at the strictest threshold tried, which keeps {shown(kept)} of the active values ({at})"
    else:
        where = f"between the ends, where {shown(kept)} of the active values are kept ({at})"
    ends = " and ".join(shown(curve[i][1], sign=True) for i in (0, -1))
    return (
        f"Averaged over the sets, the curve is highest {where}; at its ends it has {ends}. It is read off the test scores, "
        "as a picture: no threshold is chosen from it."
    )

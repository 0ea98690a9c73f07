"""SAE features against hidden states, bags of words and the majority class; and against nothing learned at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic.probing import comparison, examine, scores
from mosaic.probing.candidates import Setting
from mosaic.probing.examine import TopLatent
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.problems import CACHE, check_among, latent_names, opened, problems, with_controls
from mosaic.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILIES = ("sae", "hidden", "tfidf", "majority")
BASELINES = FAMILIES[1:]
CONTROL_POOLING = "mean"
SAME_SETTING = "trained SAE, same setting"
N_LATENTS = 5


@dataclass(frozen=True)
class SaeAgainstBaselines(Study):
    """D(b) = F(sae) - F(b): macro-F1 on test, each family with the setting that validation chose for it.

    rows: one a set and family. controls: one a set and control, read at the middle layer, mean-pooled. differences:
    {baseline: mean over the sets}; per_set: {set: {baseline: its difference}}. against_random: the trained SAE minus
    a random dictionary in the same setting. k_sparse: {set: score on its k best latents}. latents: {set: the largest
    weights of its linear probe}; tracked: {latent: the factor it tracks best}, empty where factors are not known.
    """

    name: ClassVar[str] = "sae_against_baselines"

    rows: tuple[dict, ...]
    controls: tuple[dict, ...]
    differences: dict[str, Difference]
    per_set: dict[str, dict[str, Difference]]
    against_random: Difference
    k_sparse: dict[str, list[dict]]
    latents: dict[str, list[TopLatent]]
    tracked: dict[str, str]

    def summary(self) -> dict:
        lost = losses(self.per_set)
        return {
            "rows": self.rows,
            "controls": self.controls,
            "k_sparse": self.k_sparse,
            "mean": mean_by(self.rows, "features"),
            "difference": {baseline: d.summary() for baseline, d in self.differences.items()},
            "per_set": self.per_set,
            "against_random": self.against_random.summary(),
            "control_mean": mean_by(self.controls, "control"),
            "ahead_of_hidden": share_ahead(self.per_set),
            "n_sets": len(self.per_set),
            "losses": ", ".join(lost) or "none",
            "n_losses": len(lost),
        }

    def figure(self) -> Figure:
        """Every set's scores with their intervals, one colour a family."""
        return plots.finished(plots.intervals(self.rows))

    def k_sparse_curves(self) -> Figure:
        """Score against the number of latents kept, one panel a set."""
        panels = {
            title: {"sae": [(p["k"], p["macro_f1"], p["low"], p["high"]) for p in points]}
            for title, points in self.k_sparse.items()
        }
        figure = plots.panels(panels, "latents kept")
        sizes = [p["k"] for p in next(iter(self.k_sparse.values()))]
        for ax in figure.axes:  # every other size is named: in a panel there is no room for all
            ax.set_xticks(range(0, len(sizes), 2), [str(size) for size in sizes[::2]])
        return plots.finished(figure)

    def table(self) -> tables.Html:
        """The settings that validation chose, and their scores."""
        rows = [
            {**row, "features": plots.NAMES[row["features"]], "setting": setting(row), "interval": interval(row)}
            for row in self.rows
        ]
        headings = {"set": "set", "features": "features", "setting": "chosen on validation"}
        return tables.table(rows, {**headings, "macro_f1": "macro-F1", "interval": "95 %"})

    def controls_table(self) -> tables.Html:
        """What a random dictionary and an untrained language model reach, beside the trained SAE."""
        rows = [{**row, "interval": interval(row)} for row in self.controls]
        return tables.table(rows, {"set": "set", "control": "control", "macro_f1": "macro-F1", "interval": "95 %"})

    def latents_table(self) -> tables.Html:
        """The largest weights of each set's linear probe, each latent with the text on which it is most active."""
        rows = [
            {
                "set": title,
                "latent": latent.name.removeprefix("layer_"),
                "sign": "+" if latent.weight > 0 else "-",
                "class": latent.label,
                "tracks": self.tracked.get(latent.name),
                "text": tables.shorten(latent.examples[0]) if latent.examples else "",
            }
            for title, found in self.latents.items()
            for latent in found
        ]
        columns = {"set": "set", "latent": "latent", "sign": "sign", "class": "class"}
        tracks = {"tracks": "tracks (AUROC)"} if self.tracked else {}
        return tables.table(rows, {**columns, **tracks, "text": "most activating training text"})


def run(
    profile: str | Profile,
    *,
    poolings: Sequence[str] = ("sum", "mean", "max"),
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> SaeAgainstBaselines:
    """The nested comparison on every set of the profile, with controls; `poolings` must hold mean, which these read."""
    check_among(poolings, CONTROL_POOLING)
    profile, lm = opened(profile, device)
    rows, controls, latents, sparse = [], [], {}, {}
    cases, random_cases = {baseline: [] for baseline in BASELINES}, []
    same = Setting("sae", profile.middle, profile.width, CONTROL_POOLING)
    for title, problem in problems(profile, lm, poolings=poolings, cache=cache):
        found = comparison.evaluate(problem, families=FAMILIES)
        best = {family: comparison.selected(found, family) for family in FAMILIES}
        rows += [{"set": title, **best[family].row()} for family in FAMILIES]
        for baseline in BASELINES:
            cases[baseline].append(paired(problem.test, best["sae"], best[baseline]))
        linear = best_linear(found)
        latents[title] = examine.top_latents(problem, linear, n=N_LATENTS, n_examples=1)
        sparse[title] = examine.k_sparse_curve(problem, linear)
        trained = next(result for result in found if result.setting == same)
        random = _controls(problem, profile, lm, cache)
        controls += [
            {"set": title, "control": control, **result.row()}
            for control, result in (
                ("random dictionary", random["random dictionary"]),
                (SAME_SETTING, trained),
                ("random language model", random["random language model"]),
            )
        ]
        random_cases.append(paired(problem.test, trained, random["random dictionary"]))
    return SaeAgainstBaselines(
        profile=profile,
        rows=tuple(rows),
        controls=tuple(controls),
        differences={baseline: scores.compare_mean(cases[baseline]) for baseline in BASELINES},
        per_set={
            title: {baseline: scores.compare(*cases[baseline][i]) for baseline in BASELINES}
            for i, title in enumerate(sparse)
        },
        against_random=scores.compare_mean(random_cases),
        k_sparse=sparse,
        latents=latents,
        tracked=latent_names(profile, lm, cache),
    )


def _controls(problem, profile: Profile, lm, cache: Path | None) -> dict[str, Result]:
    """{control: its best result}: SAE features of a random dictionary, hidden states of an untrained model."""
    kinds = {"random dictionary": "sae", "random language model": "hidden"}
    made = with_controls(problem, profile, lm, profile.middle, profile.width, CONTROL_POOLING, cache)
    return {
        control: comparison.evaluate(made[control], families=[kind], binarize=False, trees=False)[0]
        for control, kind in kinds.items()
    }


def paired(test, a: Result, b: Result) -> tuple:
    """(labels, predictions of a, of b, groups) on one test set, as `scores.compare` reads them."""
    return test.labels, a.predicted, b.predicted, test.groups


def best_linear(results: Iterable[Result]) -> Result:
    """The first logistic result on SAE features; `evaluate` gives the best validation first."""
    return next(r for r in results if (r.setting.features, r.setting.classifier) == ("sae", "logistic"))


def losses(per_set: Mapping[str, Mapping[str, Difference]], baseline: str = "hidden") -> list[str]:
    """The sets on which the SAE scores below the baseline, whatever the interval."""
    return [title for title, found in per_set.items() if found[baseline].difference < 0]


def share_ahead(per_set: Mapping[str, Mapping[str, Difference]], baseline: str = "hidden") -> float:
    """Share of sets on which the SAE scores above the baseline; equal scores do not count."""
    return float(np.mean([found[baseline].difference > 0 for found in per_set.values()]))


def mean_by(rows: Iterable[Mapping], key: str) -> dict[str, float]:
    """{value of `key`: mean macro-F1 of its rows}, in the order of the rows."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row["macro_f1"])
    return {value: float(np.mean(scored)) for value, scored in found.items()}


def setting(row: Mapping) -> str:
    """`layer 0, 1k, max, > 0.5, tree`: what validation chose, as far as it applies."""
    parts = [
        None if row["layer"] is None else f"layer {row['layer']}",
        row["width"],
        row["pooling"],
        f"> {row['threshold']:.2g}" if row["binarized"] else None,
        "tree" if row["classifier"] == "tree" else None,
    ]
    return ", ".join(part for part in parts if part is not None)


def interval(row: Mapping) -> str:
    return f"{row['low']:.3f} to {row['high']:.3f}"

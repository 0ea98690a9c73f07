"""The report of `mosaic probe --report`: what a page shows of one comparison, for a group that was not there when it ran.

The probe that is looked into is the best linear one on SAE features (as `mosaic predict` applies it): its confusions, its
latents, its errors. No time stands on the page, so that two runs give the same bytes; where SOURCE_DATE_EPOCH is set, its day does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mosaic import numerals
from mosaic.features.table import FeatureTable
from mosaic.probing import examine, scores
from mosaic.probing.examine import TopLatent
from mosaic.probing.learning import Curve
from mosaic.probing.problem import Problem, cautions
from mosaic.probing.said import best_linear, choices, differences, verdict
from mosaic.probing.saved import Prediction, SavedProbe
from mosaic.probing.selection import Result
from mosaic.reporting import page_figures, pages
from mosaic.reporting.page_figures import Row, shade
from mosaic.reporting.plots import NAMES
from mosaic.reporting.text_page import strip
from mosaic.studies import report_errors, report_settings, report_texts

MATRIX_CLASSES = 16  # up to which the confusion matrix is a table of numbers
SETTINGS_SHOWN = 400
ENOUGH = 0.95  # of the score with all latents
CONFUSIONS_SHOWN = 12, 40  # with a table of numbers above, and without
THE = {"majority": "the majority class"}
SPAN = "\N{EN DASH}"


@dataclass(frozen=True)
class Report:
    """problem, results, probe: the comparison, and its linear SAE probe. curve: score against the number of labels.
    sparse: {k: the same features with only k latents}. latents: its largest ones. passages: {latent number: passages (`interpretation.passages`)}.
    names: {latent: its name}. run: what the run was, for the settings (`report_settings.Run`)."""

    problem: Problem
    results: Sequence[Result]
    probe: SavedProbe
    curve: Curve
    sparse: Mapping[int, Result]
    latents: Sequence[TopLatent]
    passages: Mapping[int, Sequence]
    names: Mapping[str, str]
    run: report_settings.Run

    @cached_property
    def table(self) -> FeatureTable:
        return examine.table_of(self.problem, self.linear.setting)

    @cached_property
    def linear(self) -> Result:
        return best_linear(self.results)

    @cached_property
    def predicted(self) -> Prediction:
        """Of the test texts."""
        n = len(self.problem.train)
        return self.probe.predict(self.table.take(np.arange(n, n + len(self.problem.test))))

    @cached_property
    def differences(self) -> dict[str, scores.Difference]:
        return differences(self.problem, self.results)

    @cached_property
    def chosen(self) -> dict[str, Result]:
        """{family: the setting that validation chose}."""
        return {result.setting.features: result for result in self.results if result.selected}

    def page(self) -> bytes:
        errors = report_errors.embedded(self.problem.test, self.predicted, self.names)
        train, test = self.problem.train, self.problem.test
        return pages.render(
            "probe.html.j2",
            errors.data,
            title=f"{train.name}: SAE features against baselines",
            name=train.name,
            counts=f"{len(train):,} training and {len(test):,} test texts, {len(train.classes)} classes",
            answer=answer(self.chosen["sae"], self.differences, len(test)),
            cautions=[*cautions(self.problem), *choices(self.results)],
            comparison=self._comparison(),
            confusion=self._confusion(),
            curves=self._curves(),
            latents=[self._latent(latent) for latent in self.latents],
            probe=self.probe.said(),
            errors=errors,
            texts=report_texts.texts(self.problem),
            settings=report_settings.settings(self),
            versions=report_settings.versions(),
            cite=report_settings.cite(self.run),
            day=report_settings.day(),
        )

    def _comparison(self) -> dict:
        chosen = [
            Row(NAMES[family], r.score.macro_f1, r.score.low, r.score.high, family) for family, r in self.chosen.items()
        ]
        minus = [Row(NAMES[f], d.difference, d.low, d.high, f) for f, d in self.differences.items()]
        rows = [_setting(result) for result in self.results[:SETTINGS_SHOWN]]
        return {
            "scores": _markup(page_figures.forest(chosen, "macro-F1 on test, 95 % interval", _said(chosen, "Macro-F1 on test"))),
            "differences": _markup(
                page_figures.forest(minus, "SAE features minus the other, macro-F1", _said(minus, "Difference in macro-F1"), True)
            ),
            "paired": [
                {"name": NAMES[family], "difference": signed(d.difference), "low": signed(d.low), "high": signed(d.high),
                 "p": f"{d.p:.2g}", "verdict": verdict(d)}
                for family, d in self.differences.items()
            ],
            "rows": rows,
            "more": len(self.results) - len(rows),
        }  # fmt: skip

    def _confusion(self) -> dict:
        from sklearn.metrics import confusion_matrix

        truth, predicted = self.problem.test.labels, self.predicted.labels
        classes = list(self.probe.classes)
        counts = confusion_matrix(truth, predicted, labels=classes)
        total = counts.sum(axis=1)
        share = counts / np.maximum(total, 1)[:, None]
        wrong = [(int(counts[i, j]), i, j) for i, j in zip(*np.nonzero(counts), strict=True) if i != j]
        wrong.sort(key=lambda one: (-one[0], one[1], one[2]))
        said = (
            f"Confusion matrix of {len(classes)} classes: {int(np.trace(counts)):,} of {len(truth):,} test texts are on the diagonal"
            + (
                f"; the most frequent error is {classes[wrong[0][1]]} read as {classes[wrong[0][2]]} ({wrong[0][0]})."
                if wrong
                else "."
            )
        )
        small = len(classes) <= MATRIX_CLASSES
        most = CONFUSIONS_SHOWN[not small]
        return {
            "classes": classes,
            "said": said,
            "cells": [
                [{"n": int(counts[i, j]), "shade": shade(share[i, j]), "share": f"{100 * share[i, j]:.0f} %", "wrong": i != j, "to": j}
                 for j in range(len(classes))] for i in range(len(classes))
            ] if small else None,
            "figure": None if small else _markup(page_figures.matrix(counts, classes, said)),
            "pairs": [{"n": n, "true": classes[i], "predicted": classes[j], "share": f"{100 * share[i, j]:.0f} %", "i": i, "j": j}
                      for n, i, j in wrong[:most]],
            "more": max(0, len(wrong) - most),
            "per_class": [{"name": name, **row} for name, row in self.linear.score.per_class.items()],
        }  # fmt: skip

    def _curves(self) -> dict:
        learned = {family: [(p.n, p.reached.macro_f1, p.reached.low, p.reached.high) for p in points]
                   for family, points in self.curve.points.items()}  # fmt: skip
        sparse = {"sae": [(k, r.score.macro_f1, r.score.low, r.score.high) for k, r in self.sparse.items()]}
        full = self.linear.score.macro_f1
        few = next((k for k, reached, _, _ in sparse["sae"] if reached >= ENOUGH * full), None)
        said = "Macro-F1 on test against the number of labelled texts. " + " ".join(
            f"{NAMES[family]}: {of[0][1]:.2f} with {of[0][0]:,}, {of[-1][1]:.2f} with {of[-1][0]:,}."
            for family, of in learned.items()
        )
        first, last = sparse["sae"][0], sparse["sae"][-1]
        sparsely = (
            f"Macro-F1 on test of the k latents whose class means differ most: {first[1]:.2f} with {first[0]}, "
            f"{last[1]:.2f} with {last[0]}; all latents reach {full:.2f}."
        )
        return {
            "learning": _markup(page_figures.curves(learned, "labelled texts", said, NAMES)),
            "sparse": _markup(page_figures.curves(sparse, "latents", sparsely, NAMES)),
            "few": few,
            "all": f"{full:.3f}",
            "learned": [{"name": NAMES[family], "n": p.n, "value": f"{p.reached.macro_f1:.3f}",
                         "interval": f"{p.reached.low:.3f}{SPAN}{p.reached.high:.3f}"}
                        for family, points in self.curve.points.items() for p in points],
            "sparsely": [
                {"k": k, "value": f"{value:.3f}", "interval": f"{low:.3f}{SPAN}{high:.3f}"}
                for k, value, low, high in sparse["sae"]
            ],
            "left_out": self.curve.left_out,
        }  # fmt: skip

    def _latent(self, latent: TopLatent) -> dict:
        number = int(latent.name.rsplit("/", 1)[1])
        train = self.problem.train
        fires = self.table.matrix[: len(train)].tocsc()[:, number].toarray().ravel() > 0
        of_class = {label: float(fires[train.labels == label].mean()) for label in train.classes}
        often = sorted(of_class, key=lambda label: (-round(of_class[label], 6), label))[:4]
        labels = dict(zip(train.texts, train.labels, strict=True))
        passages = self.passages.get(number, ())
        largest = max((value for passage in passages for value in passage.activations), default=0.0)
        return {
            "name": latent.name,
            "called": self.names.get(latent.name, ""),
            "label": latent.label,
            "weight": signed(latent.weight),
            "for": latent.weight > 0,
            "fires": f"{100 * float(fires.mean()):.1f} %",
            "by_class": [{"label": label, "share": f"{100 * of_class[label]:.0f} %", "shade": shade(of_class[label])} for label in often],
            "passages": [strip(passage, str(labels[passage.text]), largest) for passage in passages],
        }  # fmt: skip


def answer(best: Result, found: Mapping[str, scores.Difference], n_test: int) -> list[str]:
    """The page's first sentences: the score, then each difference by its sign and its interval."""
    score = best.score
    sentences = [
        f"On {n_test:,} test texts, a {'tree' if best.setting.classifier == 'tree' else 'linear probe'} on SAE features reaches a macro-F1 "
        f"of {score.macro_f1:.2f} (95 % interval {score.low:.2f} to {score.high:.2f})."
    ]
    words = {"better": "SAE features do better than", "worse": "SAE features do worse than",
             "undecided": "These texts do not decide between SAE features and"}  # fmt: skip
    for family, d in found.items():
        interval = (
            f"{numerals.shown(d.difference, sign=True)}, 95 % interval {numerals.interval(d.low, d.high, sign=True)}"
        )
        sentences.append(f"{words[verdict(d)]} {THE.get(family, NAMES[family])} ({interval}).")
    return sentences


def signed(value: float, digits: int = 3) -> str:
    """With a plus or a true minus sign."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _setting(result: Result) -> dict:
    s, score = result.setting, result.score
    return {
        "selected": result.selected,
        "kind": s.features,
        "cells": [
            NAMES[s.features], "" if s.layer is None else s.layer, s.width or "", s.pooling or "",
            f"> {result.threshold:.3g}" if s.binarized else "", s.classifier, f"{result.validation:.3f}",
            f"{score.macro_f1:.3f}", f"{score.low:.3f}{SPAN}{score.high:.3f}", f"{score.accuracy:.3f}",
            "" if score.auroc is None else f"{score.auroc:.3f}",
        ],
    }  # fmt: skip


def _said(rows: Sequence[Row], what: str) -> str:
    values = "; ".join(f"{row.label} {_two(row.value)} ({_two(row.low)} to {_two(row.high)})" for row in rows)
    return f"{what} with 95 % intervals: {values}."


def _two(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _markup(svg: str):
    """Escaped where it was drawn (`page_figures`)."""
    from markupsafe import Markup

    return Markup(svg)

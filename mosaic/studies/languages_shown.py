"""Figures and tables of sets in several languages. sets: {name: LanguageScores}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.reporting import plots, tables
from mosaic.studies import abroad
from mosaic.studies.diagnosis import REPAIRS, Diagnosis
from mosaic.studies.languages import ARMS, LanguageScores

Sets = Mapping[str, LanguageScores]

IN_FIGURE = ("sae", "tree", "hidden", "tfidf", "random dictionary")
SHORT = {"sae": "SAE", "hidden": "hidden states"}
BOTH_TRAININGS = {
    "SAE, trained on English": "sae",
    "SAE, trained natively": "sae, native",
    "hidden states, trained on English": "hidden",
    "hidden states, trained natively": "hidden, native",
}


def by_language(sets: Sets):
    """Test scores by language, one panel a set; every probe is trained on English."""
    panels = {
        name: {
            arm: [
                (language, s["macro_f1"], s["low"], s["high"])
                for language, s in abroad.by_language(found.test, found.arms[arm]).items()
            ]
            for arm in IN_FIGURE
        }
        for name, found in sets.items()
    }
    return plots.finished(plots.panels(panels, "language of the test texts"))


def native(sets: Sets):
    """Trained on English against trained on each language itself: means over the foreign languages."""
    rows = []
    for name, found in sets.items():
        for part in found.test.part_rows():
            for label, arm in BOTH_TRAININGS.items():
                scored = abroad.mean([(found.test, found.arms[arm])], part)
                row = {"macro_f1": scored.macro_f1, "low": scored.low, "high": scored.high}
                rows.append({"set": f"{name}, {part}", "features": label, **row})
    return plots.finished(plots.intervals(rows, "macro-F1 abroad (test), 95 % interval"))


def poolings(sets: Sets):
    """In English and abroad, by pooling, each at the layer that English validation chose for it; one panel a set."""
    panels = {}
    for name, found in sets.items():
        lines: dict[str, list[tuple]] = {}
        for d in found.diagnosis:
            lines.setdefault(f"{SHORT[d.features]}, in English", []).append((d.pooling, d.home, d.home, d.home))
            there = (d.as_is.macro_f1, d.as_is.low, d.as_is.high)
            lines.setdefault(f"{SHORT[d.features]}, abroad", []).append((d.pooling, *there))
        panels[name] = lines
    figure = plots.panels(panels, "pooling")
    for ax in figure.axes:
        ax.tick_params(axis="x", rotation=40)
    return plots.finished(figure)


def means(sets: Sets) -> tables.Html:
    """Mean macro-F1 over the languages that are not English: features, what trained the probe, set and part."""
    cells = {f"{name}, {part}": (found, part) for name, found in sets.items() for part in found.test.part_rows()}
    rows = [
        {
            "features": features,
            "trained": trained,
            **{
                title: abroad.mean([(found.test, found.arms[arm])], part).macro_f1
                for title, (found, part) in cells.items()
            },
        }
        for arm, (features, trained) in ARMS.items()
    ]
    return tables.table(rows, {"features": "features", "trained": "trained on", **{title: title for title in cells}})


def diagnoses(found: Sequence[Diagnosis]) -> tables.Html:
    """Each pooling of each kind of features as it is, and after one repair at a time."""
    rows = [
        {
            "features": plots.NAMES[d.features],
            "pooling": d.pooling,
            "layer": d.layer,
            "home": d.home,
            "as_is": d.as_is.macro_f1,
            "share": d.share,
            "auroc": d.auroc,
            **{repair: d.repaired[repair].macro_f1 for repair in REPAIRS},
        }
        for d in found
    ]
    first = {"features": "features", "pooling": "pooling", "layer": "layer", "home": "in English", "as_is": "abroad"}
    rest = {"share": "most frequent answer", "auroc": "AUROC", **{repair: f"mended: {repair}" for repair in REPAIRS}}
    return tables.table(rows, first | rest)

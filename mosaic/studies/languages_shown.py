"""Figures and tables of sets in several languages. sets: {name: LanguageScores}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic.probing.scores import Mean
from mosaic.reporting import plots, tables
from mosaic.studies import abroad, latent_overlap, paper_values
from mosaic.studies.diagnosis import REPAIRS, Diagnosis
from mosaic.studies.language_matrix import Matrix
from mosaic.studies.language_scores import ARMS, LanguageScores
from mosaic.studies.latent_overlap import Overlap
from mosaic.studies.translated import WAYS

Sets = Mapping[str, LanguageScores]

IN_FIGURE = ("sae", "tree", "hidden", "tfidf", "random dictionary")
SHORT = {"sae": "SAE", "hidden": "hidden states"}
TRAININGS = ("trained on English", "trained natively", "translated to English")


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
        | {"chance": [(language, *[found.chance] * 3) for language in dict.fromkeys(found.test.languages)]}
        for name, found in sets.items()
    }
    return plots.finished(plots.panels(panels, "language of the test texts"))


def native(sets: Sets):
    """Trained on English, as it is and on texts translated to English, against trained on each language itself: means over the
    foreign languages. A set of which a language is not translated has no third mark."""
    rows = []
    for name, found in sets.items():
        for part in found.test.part_rows():
            rows += [
                {"set": f"{name}, {part}", "features": label, "macro_f1": m.macro_f1, "low": m.low, "high": m.high}
                for label, m in _trainings(found, part).items()
            ]
    return plots.finished(plots.intervals(rows, "macro-F1 abroad (test), 95 % interval"))


def _trainings(found: LanguageScores, part: str) -> dict[str, Mean]:
    """{"SAE, trained on English": its mean abroad}, one kind of features after the other."""
    whole = found.translated is not None and found.translated.languages == abroad.foreign(found.test)
    marks = {}
    for kind, short in SHORT.items():
        means = [abroad.mean([(found.test, found.arms[arm])], part) for arm in (kind, f"{kind}, native")]
        means += [found.translated.mean(kind, "translated", part)] if whole else []
        marks |= {f"{short}, {how}": mean for how, mean in zip(TRAININGS, means, strict=False)}
    return marks


def translations(sets: Sets) -> tables.Html:
    """Macro-F1 by language of the three ways to label its texts; a set that is not translated has no line."""
    rows = [
        {
            "set": name,
            "features": plots.NAMES[kind],
            "language": language,
            **{way: found.translated.by_language(kind, way)[language]["macro_f1"] for way in WAYS},
        }
        for name, found in sets.items()
        if found.translated is not None
        for kind in found.translated.predicted
        for language in found.translated.languages
    ]
    return tables.table(rows, {"set": "set", "features": "features", "language": "tested on", **WAYS})


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


def on_themselves(sets: Sets):
    """Each language by the probe trained on it, one panel a set; hollow what the paper published of the same task."""
    panels = {}
    for name, found in sets.items():
        languages = found.matrix.languages
        panels[name] = {
            kind: [(b, m.macro_f1, m.low, m.high) for b in languages for m in [found.matrix.mean(kind, [(b, b)])]]
            for kind in ("sae", "hidden")
        } | paper_values.by_language(name, languages)
    return plots.finished(plots.panels(panels, "trained and tested on"))


def matrices(found: Mapping[str, Matrix]):
    """Trained on (rows) and tested on (columns), SAE features and hidden states side by side, one line a set."""
    import matplotlib.pyplot as plt

    kinds = ("sae", "hidden")
    figure, grid = plt.subplots(
        len(found), len(kinds), figsize=(6.4, 0.7 + 2.3 * len(found)), squeeze=False, sharey="row"
    )
    for line, (name, matrix) in zip(grid, found.items(), strict=True):
        for ax, kind in zip(line, kinds, strict=True):
            cells = [[matrix.mean(kind, [(a, b)]).macro_f1 for b in matrix.languages] for a in matrix.languages]
            plots.heatmap(np.array(cells), matrix.languages, matrix.languages, "macro-F1", ax)
            ax.collections[0].set_clim(0, 1)  # one scale for all panels, which are compared
            ax.set_title(f"{name}, {plots.NAMES[kind]}", fontsize="medium")
    for ax in grid[-1]:
        ax.set_xlabel("language tested on")
    for ax in grid[:, 0]:
        ax.set_ylabel("trained on")
    return plots.finished(figure)


def overlaps(found: Mapping[str, Overlap]):
    """Share of the largest latents in common with English, by language, with ceiling and chance; one panel a set."""
    panels = {}
    for name, overlap in found.items():
        of = {language: latent_overlap.spread(draws) for language, draws in overlap.shared.items()}
        ceiling = latent_overlap.spread(overlap.ceiling)
        points = [(language, s["mean"], *s["interval"]) for language, s in of.items()]
        panels[name] = {
            "shared, with English": points,
            "shared, English with itself on other messages": [
                (language, ceiling["mean"], *ceiling["interval"]) for language in of
            ],
            "chance": [(language, *[overlap.chance] * 3) for language in of],
        }
    figure = plots.panels(panels, "language", f"share of {latent_overlap.TOP} latents")
    figure.axes[0].set_ylim(0, 1)
    return plots.finished(figure)


def diagnoses(sets: Mapping[str, Sequence[Diagnosis]]) -> tables.Html:
    """Each pooling of each kind of features as it is, and after one repair at a time."""
    rows = [
        {
            "set": name,
            "features": plots.NAMES[d.features],
            "pooling": d.pooling,
            "layer": d.layer,
            "home": d.home,
            "as_is": d.as_is.macro_f1,
            "share": d.share,
            "auroc": d.auroc,
            **{repair: d.repaired[repair].macro_f1 for repair in REPAIRS},
        }
        for name, found in sets.items()
        for d in found
    ]
    first = {
        "set": "set",
        "features": "features",
        "pooling": "pooling",
        "layer": "layer",
        "home": "in English",
        "as_is": "abroad",
    }
    rest = {"share": "most frequent answer", "auroc": "AUROC", **{repair: f"mended: {repair}" for repair in REPAIRS}}
    return tables.table(rows, first | rest)

"""The miniature world: its documents, its labelled sets, its models and dictionaries, as measured when they were built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.files import read_json
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.reporting.colours import INK
from mosaic.reporting.results import shown
from mosaic.studies import labelled_sets
from mosaic.studies.problems import CACHE
from mosaic.studies.study import Study
from mosaic.world import grammar, sets
from mosaic.world.corpus import Document, document
from mosaic.world.lexicon import LANGUAGES, concepts

MODELS = ("mini-small", "mini-large")  # trained from nothing: those with a training curve
CODES = ("toxicity", "mood", "decision")  # first codes of a log: compositions a model must learn
DOCUMENTS = 14  # shown


@dataclass(frozen=True)
class Miniature(Study):
    """What the world says and how well its models learned it.

    sets: one row a labelled set (`labelled_sets.describe_set`). card: {artefact: its
    figures}. curves: {model: points of its training}. tokens: {model: how many it was trained on}.
    """

    name: ClassVar[str] = "miniature"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    sets: tuple[dict, ...]
    card: dict[str, dict[str, float]]
    curves: dict[str, list[dict]]
    tokens: dict[str, int]

    def summary(self) -> dict:
        return {
            "sets": {row["set"]: {key: value for key, value in row.items() if key != "set"} for row in self.sets},
            "models": {name: row for name, row in self.card.items() if name.startswith("mini")},
            "n_concepts": len(concepts()),
            "n_patterns": len(grammar.TEMPLATES),
            "worst_fvu": worst_fvu(self.card),
            "told": [row["set"] for row in self.sets if row["told"]],
            "never_told": [row["set"] for row in self.sets if not row["told"]],
            "lowest_validation_ceiling": min(row["ceiling on validation"] for row in self.sets),
            "sentences": {
                "cues": labelled_sets.cues_sentence(self.sets),
                "comparisons": labelled_sets.comparisons_sentence(self.sets),
                "log": labelled_sets.log_sentence(self.sets),
                "unchanged": labelled_sets.unchanged_sentence(self.sets),
                "larger": larger_sentence({name: self.card[name]["gap"] for name in MODELS}, self.tokens),
            },
        }

    def figure(self):
        """Training: the loss on held-out documents beside the corpus's entropy, and the first codes that are right."""
        import matplotlib.pyplot as plt

        lines = -(-(1 + len(CODES)) // 2)
        figure, grid = plt.subplots(lines, 2, figsize=(6.6, 0.6 + 2.5 * lines))
        loss, *codes = grid.flat[: 1 + len(CODES)]
        plots.steps(self._curve("held_out_loss"), "step", "nats per token", loss)
        entropy = self.curves[MODELS[0]][-1]["entropy"]
        loss.axhline(entropy, color=INK, linestyle="--", label="entropy of the corpus")
        loss.set_title("loss")
        for ax, code in zip(codes, CODES, strict=True):
            plots.steps(self._curve(f"accuracy {code}"), "step", "", ax)
            ax.set(title=code, ylim=(0, 1.02))
            ax.set_ylabel("first code right")
        for ax in grid.flat[1 + len(CODES) :]:
            ax.set_visible(False)
        for ax in (loss, *codes):
            ax.get_legend().remove()
        plots.legend_below(figure, loss)
        return plots.finished(figure)

    def table(self) -> tables.Html:
        """The labelled sets: the cues that tell the label best, in counts and in word order, and all of them added up."""
        columns = ("set", "largest class", "best count", "its accuracy", "best order", "accuracy of order", "added up")
        return tables.table(self.sets, {key: key for key in columns})

    def told_table(self) -> tables.Html:
        """The labelled sets: is the label written in the corpus's log, how far the log tells it, and the ceilings."""
        rows = [{**row, "in training": "told" if row["told"] else "never told"} for row in self.sets]
        columns = ("set", "in training", "why", "by the verdict", "by one code", "ceiling", "ceiling on validation")
        return tables.table(rows, {key: key for key in columns})

    def dictionaries_table(self) -> tables.Html:
        """Every suite's SAEs, also on the model tuned from theirs."""
        rows = [{"SAE": name, **row} for name, row in self.card.items() if name.startswith("saes")]
        columns = {"SAE": "SAE", "l0": "L0", "fvu": "FVU", "dead": "dead", "recovered": "recovered"}
        return tables.table(rows, columns)

    def documents_table(self) -> tables.Html:
        """The corpus's first documents: what is said, and the log behind it."""
        rows = [
            {
                "kind": d.kind,
                "language": d.language,
                "message": d.text[: d.message],
                "log": d.text[d.message :].strip(),
            }
            for d in (document(0, i) for i in range(DOCUMENTS))
        ]
        return tables.table(rows, {key: key for key in rows[0]})

    def words_strip(self) -> tables.Html:
        """One toxic message with somebody's words in it: which words show which factor."""
        return tables.token_strip(*factors_of_words(quoting_insult()))

    def languages_table(self) -> tables.Html:
        """The same two messages in every language."""
        rows = [
            {"language": language, "text": row.text, "label": row.truth}
            for language in LANGUAGES
            for row in sets.labelled("toxicity", language)["train"][:2]
        ]
        return tables.table(rows, {key: key for key in rows[0]})

    def _curve(self, figure: str) -> dict[str, dict[int, float]]:
        return {name: {point["step"]: point[figure] for point in points} for name, points in self.curves.items()}


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Miniature:
    """Draw from the world, and read the shipped weights' card and curves. No model runs: device and cache go unused."""
    from mosaic.miniature.build import WEIGHTS

    profile = load_profile(profile) if isinstance(profile, str) else profile
    card = read_json(WEIGHTS / "card.json")
    trained = {name: read_json(WEIGHTS / name / "curve.json") for name in MODELS}
    curves, tokens = ({name: one[key] for name, one in trained.items()} for key in ("curve", "tokens"))
    return Miniature(profile, tuple(map(labelled_sets.describe_set, sets.SETS)), card, curves, tokens)


def worst_fvu(card: Mapping[str, Mapping[str, float]]) -> float:
    """The largest fraction of variance unexplained of an SAE on the model it was trained on ("saes on model": another)."""
    return max(row["fvu"] for name, row in card.items() if name.startswith("saes") and " on " not in name)


def larger_sentence(gaps: Mapping[str, float], tokens: Mapping[str, int]) -> str:
    """Whether the larger model comes closer to the corpus's entropy. gaps, tokens: of MODELS, the smaller first."""
    small, large = MODELS
    if gaps[large] < gaps[small]:
        return f"The larger of the two comes closer: {shown(gaps[large])} against {shown(gaps[small])}."
    return (
        f"The larger of the two comes no closer ({shown(gaps[large])} against {shown(gaps[small])}). It was trained on "
        f"{shown(tokens[large])} tokens, mini-small on {shown(tokens[small])}, at another rate and from another seed, and each "
        "once: which of these it is owed to, or whether it is chance, is not known."
    )


def quoting_insult() -> Document:
    """The first English message that insults its reader and quotes somebody."""
    return next(
        drawn
        for drawn in (document(7, i) for i in range(1000))
        if (drawn.kind, drawn.language) == ("message", "en")
        and drawn.factors["toxicity"] == "toxic"
        and "quotation" in drawn.factors
    )


def factors_of_words(drawn: Document) -> tuple[list[str], dict[str, np.ndarray]]:
    """(words, {factor: [words] 1 where the word shows it}) of a message; concepts, one a word, are left out."""
    words = [
        (drawn.text[start:end], {f"{key} {value}" for key, value in factors})
        for start, end, factors in drawn.spans
        if start < drawn.message
    ]
    told = dict.fromkeys(f for _, factors in words for f in sorted(factors) if not f.startswith("concept"))
    return [word for word, _ in words], {f: np.array([float(f in factors) for _, factors in words]) for f in told}

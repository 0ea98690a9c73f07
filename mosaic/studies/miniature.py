"""The miniature world: its documents, its labelled sets, its models and dictionaries, as measured when they were built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.files import read_json
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.reporting.colours import INK
from mosaic.studies.problems import CACHE
from mosaic.studies.study import Study
from mosaic.world import grammar, sets
from mosaic.world.corpus import Document, document
from mosaic.world.lexicon import LANGUAGES, concepts

MODELS = ("mini-small", "mini-large")  # trained from nothing: those with a training curve
CODES = ("toxicity", "mood", "decision")  # first codes of a log: compositions a model must learn
CUE_MESSAGES = 2000  # drawn to look for cues
DOCUMENTS = 14  # shown


@dataclass(frozen=True)
class Miniature(Study):
    """What the world says and how well its models learned it.

    sets: one row a labelled set, with the cue that tells its label best and its ceiling. card: {artefact: its
    figures}. curves: {model: points of its training}.
    """

    name: ClassVar[str] = "miniature"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    sets: tuple[dict, ...]
    card: dict[str, dict[str, float]]
    curves: dict[str, list[dict]]

    def summary(self) -> dict:
        kept = ("best cue", "its accuracy", "ceiling", "largest class")
        return {
            "sets": {row["set"]: {key: row[key] for key in kept} for row in self.sets},
            "models": {name: row for name, row in self.card.items() if name.startswith("mini")},
            "n_concepts": len(concepts()),
            "n_patterns": len(grammar.TEMPLATES),
            "worst_fvu": worst_fvu(self.card),
            "worst_cue": max(row["its accuracy"] for row in self.sets),
        }

    def figure(self):
        """Training: the loss on held-out documents beside the corpus's entropy, and the first codes that are right."""
        import matplotlib.pyplot as plt

        figure, (loss, *codes) = plt.subplots(1, 1 + len(CODES), figsize=(9.0, 3.4))
        plots.steps(self._curve("held_out_loss"), "step", "nats a token (held out)", loss)
        entropy = self.curves[MODELS[0]][-1]["entropy"]
        loss.axhline(entropy, color=INK, linestyle="--", label="entropy of the corpus")
        loss.set_title("loss")
        for ax, code in zip(codes, CODES, strict=True):
            plots.steps(self._curve(f"accuracy {code}"), "step", "", ax)
            ax.set(title=code, ylim=(0, 1.02))
        codes[0].set_ylabel("first code right (held out)")
        for ax in (loss, *codes):
            ax.get_legend().remove()
        plots.legend_below(figure, loss)
        return plots.finished(figure)

    def table(self) -> tables.Html:
        """The labelled sets: the cue of the whole message that tells the label best, and a reader's ceiling."""
        shown = ("set", "largest class", "best cue", "its accuracy", "ceiling")
        return tables.table(self.sets, {key: key for key in shown})

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
    curves = {name: read_json(WEIGHTS / name / "curve.json")["curve"] for name in MODELS}
    return Miniature(profile, tuple(map(describe_set, sets.SETS)), card, curves)


def describe_set(name: str) -> dict:
    """One labelled set: the share of its largest class, its best cue with the accuracy it gives, and its ceiling."""
    from mosaic.miniature.card import ceiling

    labels = [row.label for part in sets.labelled(name).values() for row in part]
    cue, accuracy = sets.cues(name, CUE_MESSAGES)[0]
    return {
        "set": name,
        "largest class": largest_share(labels),
        "best cue": cue,
        "its accuracy": accuracy,
        "ceiling": ceiling(name),
    }


def largest_share(labels: Sequence[str]) -> float:
    """Share of the most frequent label."""
    return max(labels.count(label) for label in set(labels)) / len(labels)


def worst_fvu(card: Mapping[str, Mapping[str, float]]) -> float:
    """The largest fraction of variance unexplained of an SAE on the model it was trained on ("saes on model": another)."""
    return max(row["fvu"] for name, row in card.items() if name.startswith("saes") and " on " not in name)


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

"""From labelled texts to a short list of statements about them: do descriptions of latents, tested alone, find what is there?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mosaic.interpretation.descriptions import WORDS as N_WORDS
from mosaic.interpretation.hypotheses import FAITHFUL, LEAST_TEXTS
from mosaic.printable import printable
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile, SetChoice
from mosaic.reporting import plots, tables
from mosaic.studies import hypotheses_arms as arms
from mosaic.studies import hypotheses_said as said
from mosaic.studies.controls import N_DICTIONARIES, calibration_texts, random_dictionaries
from mosaic.studies.hypotheses_arms import ARMS, RANDOM, SAE, SHUFFLED, WORDS, SetFound
from mosaic.studies.hypotheses_found import TOP
from mosaic.studies.hypotheses_truth import LEAST_PHI
from mosaic.studies.problems import CACHE, opened, sets_here
from mosaic.studies.study import Study

SETS = 3
FIRST = ("sst2", "trec", "sentiment_tweets", "mini/toxicity", "mini/sentiment", "mini/intent")  # taken before others
SHOWN = 8  # of a set in the figure


@dataclass(frozen=True)
class Hypotheses(Study):
    """Up to SETS sets of the profile, the middle layer's SAE. missing: titles of sets that come first and cannot be had."""

    name: ClassVar[str] = "hypotheses"

    found: tuple[SetFound, ...]
    missing: tuple[str, ...]

    def summary(self) -> dict:
        confirmed = {arm: arms.confirmed(self.found, arm) for arm in (*ARMS, SHUFFLED)}
        against = {arm: arms.difference(confirmed[SAE], confirmed[arm]) for arm in confirmed if arm != SAE}
        precision = {arm: arms.precision(self.found, arm) for arm in ARMS}
        recall = {arm: arms.recall(self.found, arm) for arm in ARMS}
        n_cues = sum(len(one.cues or ()) for one in self.found)
        rules = {rule: self._by_rule(rule) for rule in self.found[0].rules}
        words = {"precision": precision[WORDS], "recall": recall[WORDS]}
        return {
            "top": TOP,
            "words": N_WORDS,
            "least_texts": LEAST_TEXTS,
            "faithful": FAITHFUL,
            "least_phi": LEAST_PHI,
            "confirmed": confirmed,
            "minus": against,
            "bonferroni": {arm: arms.strictly(self.found, arm) for arm in ARMS},
            "mean_effect": {arm: arms.mean_effect(self.found, arm) for arm in ARMS},
            "mean_prevalence": {arm: arms.mean_prevalence(self.found, arm) for arm in ARMS},
            "precision": precision,
            "precision_minus_random": arms.difference(precision[SAE], precision[RANDOM]),
            "recall": recall,
            "n_cues": n_cues,
            "rules": rules,
            "sets": {one.title: self._set(one) for one in self.found},
            "sentences": {
                "lists": " ".join(self._list(one) for one in self.found),
                "arms": said.arms(confirmed[SAE], confirmed, against),
                "truth": said.truth(precision[SAE], recall[SAE], words, n_cues, precision[arms.RANDOM]),
                "rules": said.rules(rules),
                "left_out": said.left_out(self.missing),
            },
        }

    def figure(self):
        """Share of confirmed hypotheses, every arm on every set, with 95 % over hypotheses."""
        rows = []
        for one in self.found:
            for arm in (*ARMS, SHUFFLED):
                share = arms.confirmed([one], arm)
                if share["n"]:
                    low, high = share["interval"]
                    rows.append(
                        {"set": one.title, "features": arm, "macro_f1": share["share"], "low": low, "high": high}
                    )
        return _drawn(rows, "share of hypotheses confirmed, 95 % over hypotheses")

    def forest(self):
        """The effects whose intervals begin farthest above zero, SHOWN a set, in the order of the list."""
        rows = []
        for one in self.found:
            told = [i for i, t in enumerate(one.own.tested) if t.effect is not None]
            far = sorted(told, key=lambda i: (-round(one.own.tested[i].low, 9), i))[:SHOWN]
            for i in sorted(far):
                tested, words = one.own.tested[i], " | ".join(one.own.words[i])
                name = printable(f"{words} → {tested.hypothesis.label}").replace("$", r"\$")
                line = {"set": name, "features": one.title, "macro_f1": tested.effect}
                rows.append(line | {"low": tested.low, "high": tested.high})
        return _drawn(rows, "effect on held-out texts, 95 % interval", height=1.6 + 0.26 * len(rows), zero=True)

    def table(self) -> tables.Html:
        """Every hypothesis of the trained SAE as a sentence; in the miniature, what it means beside it."""
        rows = []
        for one in self.found:
            for i, tested in enumerate(one.own.tested):
                row = {
                    "set": one.title,
                    "sentence": said.sentence(tested, one.own.words[i]),
                    "p": f"{tested.corrected:.2g}",
                }
                rows.append(row | {"verdict": tested.verdict, "meant": _meant(one, i)})
        headings = {"set": "set", "sentence": "hypothesis", "p": "p, corrected", "verdict": "verdict"}
        known = any(one.cues is not None for one in self.found)
        return tables.table(rows, headings | ({"meant": "means"} if known else {}))

    def arms_table(self) -> tables.Html:
        """Every arm: confirmed, mean effect and prevalence, and against the planted cues precision and recall."""
        rows = []
        known = any(one.cues is not None for one in self.found)
        for arm in (*ARMS, SHUFFLED):
            share, row = arms.confirmed(self.found, arm), {"arm": arm}
            row |= {"confirmed": _of(share), "share": share["share"]}
            if arm != SHUFFLED:
                row |= {
                    "effect": arms.mean_effect(self.found, arm),
                    "prevalence": arms.mean_prevalence(self.found, arm),
                }
                row |= {"right": _of(arms.precision(self.found, arm)), "cues": _of(arms.recall(self.found, arm))}
            rows.append(row)
        headings = {"arm": "hypotheses of", "confirmed": "confirmed", "share": "share", "effect": "mean effect"}
        headings |= {"prevalence": "mean prevalence"}
        return tables.table(rows, headings | ({"right": "of these right", "cues": "cues found"} if known else {}))

    def _by_rule(self, rule: str) -> dict:
        draws = [one.rules[rule] for one in self.found]
        return arms.share(sum(len(draw.confirmed) for draw in draws), sum(len(draw.tested) for draw in draws))

    def _list(self, one: SetFound) -> str:
        return said.list_of(one.title, arms.confirmed([one], SAE), arms.confirmed([one], SHUFFLED))

    def _set(self, one: SetFound) -> dict:
        own = one.own
        return {
            "n_train": one.n[0],
            "n_test": one.n[1],
            "confirmed": {arm: arms.confirmed([one], arm) for arm in (*ARMS, SHUFFLED)},
            "hypotheses": [said.sentence(tested, own.words[i]) for i, tested in enumerate(own.tested)],
            "verdicts": [tested.verdict for tested in own.tested],
            **({} if one.cues is None else self._set_truth(one)),
        }

    def _set_truth(self, one: SetFound) -> dict:
        hit = one.hit(one.own)
        return {
            "precision": {arm: arms.precision([one], arm) for arm in ARMS},
            "recall": {arm: arms.recall([one], arm) for arm in ARMS},
            "cues": [f"{factor}: {label}" for factor, label in sorted(one.cues)],
            "found": [f"{factor}: {label}" for factor, label in sorted(hit)],
        }


def run(profile: str | Profile, *, n_texts: int = 2000, device: str = "cpu", cache: Path | None = CACHE) -> Hypotheses:
    """n_texts: training texts at most of a set; half as many are held out for the test."""
    from mosaic.progress import Progress

    profile, lm = opened(profile, device)
    chosen, missing = chosen_sets(profile, sets_here(profile))
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    randoms = random_dictionaries(encoder, lm, calibration_texts(profile), N_DICTIONARIES)
    found = []
    with Progress("hypotheses", len(chosen), "sets") as progress:
        for choice in chosen:
            found.append(arms.find(choice, lm, encoder, randoms, (n_texts, n_texts // 2), cache))
            progress.advance(1)
    return Hypotheses(profile, tuple(found), missing)


def chosen_sets(profile: Profile, here: Sequence[SetChoice]) -> tuple[tuple[SetChoice, ...], tuple[str, ...]]:
    """(up to SETS sets that are here, those of FIRST before others; titles of the profile's sets before the last of them that
    are not here)."""
    place = {name: i for i, name in enumerate(FIRST)}
    ordered = sorted(profile.datasets, key=lambda choice: place.get(choice.name, len(FIRST)))
    chosen, missing = [], []
    for choice in ordered:
        if len(chosen) == SETS:
            break
        (chosen if choice in here else missing).append(choice)
    return tuple(chosen), tuple(choice.title for choice in missing)


def _drawn(rows: Sequence[dict], label: str, height: float | None = None, zero: bool = False):
    """Dots with intervals; an empty frame that says so where there is no hypothesis."""
    import matplotlib.pyplot as plt

    if not rows:
        ax = plt.subplots(figsize=(6.4, 1.6))[1]
        ax.set(xlabel=label, yticks=[], title="no hypothesis")
        return plots.finished(ax, "There is no hypothesis to show.", [])
    ax = plt.subplots(figsize=(6.4, height))[1] if height else None
    return plots.finished(plots.intervals(rows, label, zero=zero, ax=ax))


def _of(share: dict) -> str:
    return f"{share['count']} of {share['n']}"


def _meant(one: SetFound, i: int) -> str:
    if one.cues is None:
        return ""
    factor = one.own.meant[i]
    if factor is None:
        return "no factor"
    planted = (factor, one.own.tested[i].hypothesis.label) in one.cues
    return f"{factor}, a planted cue" if planted else factor

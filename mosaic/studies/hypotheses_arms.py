"""Hypotheses of one set from the trained SAE and from everything that it is held against, at one budget.

Each arm may give as many hypotheses for every class (one whose words say less of its latents gives fewer), chosen by one rule from the same training texts and tested on the same held-out
ones; arms that are drawn are drawn several times. Each is corrected for its own hypotheses alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.interpretation import shares
from mosaic.interpretation.hypotheses import CONFIRMED, Candidates, Hypothesis, Tested, matching, separation
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import subsample
from mosaic.profiles.profile import SetChoice
from mosaic.saes.encoder import Encoder
from mosaic.studies.hypotheses_found import RULES, TOP, Texts, at_random, check, latents_of, single_words
from mosaic.studies.hypotheses_truth import Truth, truth
from mosaic.texts.labelled import FAMILIAR
from mosaic.texts.sources import MINI, load_set

SAE, RANDOM, AT_RANDOM, WORDS = "trained SAE", "random dictionaries", "latents at random", "single words"
SHUFFLED = "shuffled labels"
ARMS = (SAE, RANDOM, AT_RANDOM, WORDS)
DRAWS = 5  # of latents at random
DEALS = 20  # of the labels


@dataclass(frozen=True)
class Draw:
    """The hypotheses of one draw of an arm. words: of each. meant: the factor that each means, where the truth is known."""

    tested: tuple[Tested, ...]
    words: tuple[tuple[str, ...], ...]
    meant: tuple[str | None, ...] | None

    @property
    def confirmed(self) -> list[int]:
        return [i for i, one in enumerate(self.tested) if one.verdict == CONFIRMED]

    @property
    def strictly(self) -> list[int]:
        """Those that hold after Bonferroni's correction over the list, too."""
        bound = shares.DISCOVERY / max(sum(one.effect is not None for one in self.tested), 1)
        return [i for i in self.confirmed if self.tested[i].p <= bound]


@dataclass(frozen=True)
class SetFound:
    """One set. arms: {arm: its draws}. rules: {rule: the trained SAE's hypotheses chosen by it}. shuffled: (confirmed, tested) of every
    deal of the labels. cues: planted, None where nothing was."""

    title: str
    n: tuple[int, int]
    arms: Mapping[str, Sequence[Draw]]
    rules: Mapping[str, Draw]
    shuffled: Sequence[tuple[int, int]]
    cues: frozenset[tuple[str, str]] | None

    @property
    def own(self) -> Draw:
        return self.arms[SAE][0]

    def right(self, draw: Draw) -> list[int]:
        """The confirmed hypotheses that mean a planted cue of their class."""
        return [i for i in draw.confirmed if (draw.meant[i], draw.tested[i].hypothesis.label) in self.cues]

    def hit(self, draw: Draw) -> set[tuple[str, str]]:
        """The planted cues that a confirmed hypothesis means."""
        return {(draw.meant[i], draw.tested[i].hypothesis.label) for i in self.right(draw)}


def find(
    choice: SetChoice,
    lm: LanguageModel,
    encoder: Encoder,
    randoms: Sequence[Encoder],
    n_texts: tuple[int, int],
    cache: Path | None,
    top: int = TOP,
) -> SetFound:
    """One set of a profile, cut to n_texts training and held-out texts; of one that says its test twice, the familiar words."""
    train, test = load_set(choice.name, choice.language)
    if test.parts is not None:
        test = test.take(test.part_rows()[FAMILIAR])
    train, test = subsample(train, n_texts[0]), subsample(test, n_texts[1])
    check(train, test)
    texts = Texts.of(train, test, lm)
    name = choice.name.removeprefix(MINI)
    known = truth(name, list(test.groups)) if _has_truth(choice.name) else None
    own, *drawn = latents_of(texts, lm, (encoder, *randoms), cache)

    def draw(candidates: Candidates, rule=separation) -> Draw:
        return _draw(texts, texts.choose(candidates, top, rule), known)

    rules = {name: draw(own, rule) for name, rule in RULES.items()}
    arms = {
        SAE: [rules["separation"]],
        RANDOM: [draw(one) for one in drawn],
        AT_RANDOM: [draw(own, at_random(seed)) for seed in range(DRAWS)],
        WORDS: [draw(single_words(texts))],
    }
    shuffled = texts.by_chance(own, top, separation, DEALS)
    return SetFound(choice.title, (len(train), len(test)), arms, rules, shuffled, known.cues if known else None)


def _draw(texts: Texts, chosen: Sequence[Hypothesis], known: Truth | None) -> Draw:
    meant = None if known is None else tuple(known.meant(matching(chosen, texts.presence[1])))
    return Draw(tuple(texts.test_all(chosen)), tuple(tuple(texts.named(one)) for one in chosen), meant)


def _has_truth(name: str) -> bool:
    from mosaic.world.tasks import SETS

    return name.startswith(MINI) and name.removeprefix(MINI) in SETS


def share(k: int, n: int) -> dict:
    """{count, n, share, interval}: Wilson's, as if hypotheses were independent; None where there is none."""
    if n == 0:
        return {"count": 0, "n": 0, "share": None, "interval": None}
    return {"count": k, "n": n, "share": k / n, "interval": [float(edge) for edge in shares.wilson(k, n)]}


def difference(first: Mapping, second: Mapping) -> dict:
    """{difference, interval} of two shares: Newcombe's; None where either has no hypothesis."""
    if not (first["n"] and second["n"]):
        return {"difference": None, "interval": None}
    low, high = shares.newcombe(first["count"], first["n"], second["count"], second["n"])
    return {"difference": first["share"] - second["share"], "interval": [float(low), float(high)]}


def confirmed(found: Sequence[SetFound], arm: str) -> dict:
    """Share of an arm's hypotheses that are confirmed, all sets and draws together."""
    if arm == SHUFFLED:
        deals = [deal for one in found for deal in one.shuffled]
        return share(sum(k for k, _ in deals), sum(n for _, n in deals))
    draws = [draw for one in found for draw in one.arms[arm]]
    return share(sum(len(draw.confirmed) for draw in draws), sum(len(draw.tested) for draw in draws))


def strictly(found: Sequence[SetFound], arm: str) -> dict:
    """Share of an arm's hypotheses that are confirmed after Bonferroni's correction, all sets and draws together."""
    draws = [draw for one in found for draw in one.arms[arm]]
    return share(sum(len(draw.strictly) for draw in draws), sum(len(draw.tested) for draw in draws))


def precision(found: Sequence[SetFound], arm: str) -> dict:
    """Share of an arm's confirmed hypotheses that are right, in the sets whose truth is known."""
    pairs = [(one, draw) for one in found if one.cues is not None for draw in one.arms[arm]]
    return share(sum(len(one.right(draw)) for one, draw in pairs), sum(len(draw.confirmed) for _, draw in pairs))


def recall(found: Sequence[SetFound], arm: str) -> dict:
    """Share of the planted cues that an arm's confirmed hypotheses mean; every draw counts anew."""
    pairs = [(one, draw) for one in found if one.cues is not None for draw in one.arms[arm]]
    return share(sum(len(one.hit(draw)) for one, draw in pairs), sum(len(one.cues) for one, _ in pairs))


def mean_effect(found: Sequence[SetFound], arm: str) -> float | None:
    """Mean effect of an arm's hypotheses on held-out texts, those without a match left out."""
    effects = [t.effect for one in found for draw in one.arms[arm] for t in draw.tested if t.effect is not None]
    return float(np.mean(effects)) if effects else None


def mean_prevalence(found: Sequence[SetFound], arm: str) -> float | None:
    """Mean share of held-out texts that match."""
    values = [t.prevalence for one in found for draw in one.arms[arm] for t in draw.tested]
    return float(np.mean(values)) if values else None

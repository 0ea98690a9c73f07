"""Do SAEs of different models learn the same features? Latents of several models on the same texts, and their geometry."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import universality as measures
from mosaic.interpretation.aligned import WORDS
from mosaic.interpretation.strongest import MAJORITY, STRONGEST
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.studies import universality_said as said
from mosaic.studies.feature_spaces import Compared, Space, mean, minus
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.seeds import held_out_texts
from mosaic.studies.study import Study
from mosaic.studies.universality_kinds import ANY, Kinds, factor_kinds, filtered, kept_by, list_kinds
from mosaic.studies.universality_reading import RANDOM, UNTRAINED, Readings, others_of, readings

MEASURES = ("svcca", "rsa")
DISCOVERY = 0.05
PUBLISHED_PAIRS = (7553, 1879)  # the most and the fewest that the published notebooks keep
PUBLISHED_SIZES = (512, 768)  # d of Pythia-70M and Pythia-160M
PERMUTED = 2_000  # pairings of one component


@dataclass(frozen=True)
class Universality(Study):
    """SVCCA and RSA of decoder rows whose latents fire alike, for every pair of layers of the profile's model and another.

    words: of the first and of the second latent of each of the main comparison's pairs, those on which it fires most. kinds: those
    pairs by what they speak of; layers: pairs of two layers of the profile's own model by the same, where that is by lists of words.
    """

    name: ClassVar[str] = "universality"
    needs: ClassVar[tuple[str, ...]] = ("others",)

    found: Readings
    words: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]
    kinds: Kinds
    layers: Kinds | None = None

    def summary(self) -> dict:
        main, share, against = self.main, self._significant(), self.trained_minus
        kinds, nulls, read = self.kinds.summary(), one_component_nulls(), self.found.read
        return {
            "n_rows": {name: n for name, (_, n) in read.items()},
            "whole_words": [name for name, (unit, _) in read.items() if unit == WORDS],
            "least_correlation": measures.LEAST,
            "strongest": STRONGEST,
            "majority": MAJORITY,
            "main": self._row(main),
            "itself": self._row(self.found.itself),
            "grid": [self._row(one) for one in self.found.grid],
            "significant": share,
            "trained_minus": {RANDOM: None, UNTRAINED: None} | against,
            "filters": self.filtered,
            "kinds": None if self.kinds.by_lists else kinds,
            "lists": {ANY: None} | kinds if self.kinds.by_lists else None,
            "layers": self.layers and {ANY: None} | self.layers.summary() | {"mean": self.layers.over()},
            "one_component": nulls,
            "sentences": {
                "read": said.read(read),
                "main": said.alike(
                    main.first.name, main.second.name, {m: getattr(main, m).summary() for m in MEASURES}
                ),
                "grid": said.grid({measure: share[measure] for measure in MEASURES}),
                "controls": " ".join(said.control(name, found) for name, found in against.items()),
                "filters": said.filters(self.filtered),
                "kinds": " ".join(said.kinds(one) for one in (self.kinds, self.layers) if one is not None),
                "one_component": said.one_component(
                    list(nulls.values()),
                    main.one_component.summary(),
                    share["one_component"],
                    max(one.one_component.observed for one in self.found.grid),
                ),
            },
        }

    @property
    def main(self) -> Compared:
        """The profile's middle layer against the middle layer of the first other model."""
        return self.found.main

    def figure(self):
        """Excess of SVCCA over a permuted pairing, every layer of one model against every layer of another."""
        return self._map("svcca", "SVCCA, excess over a permuted pairing")

    def rsa_figure(self):
        """The same of RSA."""
        return self._map("rsa", "RSA, excess over a permuted pairing")

    def controls_figure(self):
        """RSA of the trained SAE and of each control against the other model, with 95 % over pairs of latents."""
        rows = []
        for name, of in {"trained SAE": [self.main], **self.found.controls}.items():
            found = mean(of)
            low, high = found.interval()
            rows.append({"set": said.NAMES["rsa"], "features": name, "macro_f1": found.value, "low": low, "high": high})
        return plots.finished(plots.intervals(rows, "RSA, 95 % over pairs of latents", zero=True))

    def table(self) -> tables.Html:
        """Every pair of layers: pairs of latents, correlation, both measures beside their permuted pairings."""
        rows = []
        for one in self.found.grid:
            row = {
                "first": one.first.name,
                "second": one.second.name,
                "n": len(one.pairs),
                "r": float(one.pairs.r.mean()),
            }
            for measure in ("svcca", "rsa", "one_component"):
                found = getattr(one, measure)
                row |= {measure: found.observed, f"{measure} null": _rounded(float(found.null.mean()))}
            rows.append(row)
        headings = {"first": "SAE", "second": "other SAE", "n": "pairs", "r": "mean r"}
        shown = {"svcca": "SVCCA", "rsa": "RSA", "one_component": "one component"}
        for measure, heading in shown.items():
            headings |= {measure: heading, f"{measure} null": "permuted"}
        return tables.table(rows, headings)

    def filters_table(self) -> tables.Html:
        """Pairs left by each rule, and how alike they are."""
        rows = []
        for name, one in self.filtered.items():
            row = {"rule": said.RULES[name], "n": one["n"], "share": said.percent(one["share"]), "r": one["r"]}
            for measure in MEASURES:
                found = one[measure] or {}
                row |= {f"{measure} {key}": _rounded(found.get(key)) for key in ("value", "null", "excess")}
            rows.append(row)
        headings = {"rule": "pairs kept", "n": "pairs", "share": "share", "r": "mean r"}
        for measure in MEASURES:
            shown = said.NAMES[measure]
            headings |= {f"{measure} value": shown, f"{measure} null": "permuted", f"{measure} excess": "excess"}
        return tables.table(rows, headings)

    def kinds_table(self) -> tables.Html:
        """Each kind's pairs by every measure, beside as many drawn from all, and two of their latents' words."""
        headings = {
            "of": "pairs of",
            "kind": "list of words" if self.kinds.by_lists else "kind of factor",
            "n": "pairs",
        }
        for measure, shown in said.WITHIN.items():
            headings |= {measure: shown, f"{measure} any": "any pairs"}
        rows = [row for one in (self.kinds, self.layers) if one is not None for row in said.kind_rows(one)]
        return tables.table(rows, headings | {"words": "two latents' strongest words"})

    def _map(self, measure: str, label: str):
        """The other models' layers down, the profile's own across."""
        own, theirs = (sorted({_place(space) for space in side}) for side in self._sides())
        values = np.full((len(theirs), len(own)), np.nan)
        for one in self.found.grid:
            place = theirs.index(_place(one.second)), own.index(_place(one.first))
            values[place] = getattr(one, measure).excess
        down, across = [name for *_, name in theirs], [str(layer) for _, layer, _ in own]
        if len(down) < 3:  # a low map has little room beside it
            label = textwrap.fill(label, 20)
        ax = plots.heatmap(values, down, across, label, digits=3)
        ax.set_xlabel(f"layer of {own[0][0]}")
        return plots.finished(ax.figure)

    def _sides(self) -> tuple[list[Space], list[Space]]:
        return [one.first for one in self.found.grid], [one.second for one in self.found.grid]

    def _row(self, one: Compared) -> dict:
        return {
            "first": one.first.name,
            "second": one.second.name,
            "n_pairs": len(one.pairs),
            "distinct": one.distinct,
            "r": float(one.pairs.r.mean()),
            **{m: getattr(one, m).summary() for m in (*MEASURES, "one_component")},
        }

    def _significant(self) -> dict:
        """{measure: {k, n, share}} of layer pairs above a permuted pairing, Benjamini and Hochberg at DISCOVERY."""
        from scipy.stats import false_discovery_control

        out = {}
        for measure in (*MEASURES, "one_component"):
            p = false_discovery_control([getattr(one, measure).p for one in self.found.grid])
            k, n = int((p <= DISCOVERY).sum()), len(p)
            out[measure] = {"k": k, "n": n, "share": k / n}
        return out

    @cached_property
    def trained_minus(self) -> dict:
        """{control: RSA of the trained SAE minus the control's}, as `minus` gives it."""
        return {name: minus([self.main], of) for name, of in self.found.controls.items()}

    @cached_property
    def filtered(self) -> dict[str, dict]:
        """{rule: what is left of the main comparison}."""
        return filtered(self.main, kept_by(self.words))


def run(
    profile: str | Profile, *, n_texts: int = 2000, device: str = "cpu", cache: Path | None = CACHE
) -> Universality:
    """Every SAE of the profile's main width, and of those it names under `others`, on n_texts texts that none was trained on."""
    profile = load_profile(profile) if isinstance(profile, str) else profile
    others = others_of(profile)  # before anything long
    profile, lm = opened(profile, device)
    found = readings(profile, lm, others, held_out_texts(profile, n_texts), device)
    first, second = (found.strongest[space] for space in (found.main.first, found.main.second))
    words = first.words(found.main.pairs.first), second.words(found.main.pairs.second)
    if profile.truth:
        return Universality(profile, found, words, factor_kinds(profile, lm, found.main, words[0], cache))
    layers = found.layers and list_kinds(found.layers, first.words(found.layers.pairs.first))
    return Universality(profile, found, words, list_kinds(found.main, words[0]), layers)


def one_component_nulls(permutations: int = PERMUTED) -> dict[str, dict]:
    """{M: what permuted pairings of M unrelated rows give of one component}, for as many as the published notebooks kept."""
    rng, out = np.random.default_rng(0), {}
    for n in PUBLISHED_PAIRS:
        x, y = (rng.normal(size=(n, d)) for d in PUBLISHED_SIZES)
        null = measures.svcca(x, y, None, permutations=permutations).null
        error = 1.96 * float(null.std() / np.sqrt(len(null)))
        mean = float(null.mean())
        found = {"measured": mean, "interval": [mean - error, mean + error], "theory": measures.one_component_null(n)}
        out[str(n)] = {"n_pairs": n, **found}
    return out


def _place(space: Space) -> tuple[str, int, str]:
    """Order on a map: models by name, layers from the first."""
    return space.model, space.layer, space.name


def _rounded(value: float | None) -> float | None:
    """To three digits, without the sign of a zero."""
    return None if value is None else round(value, 3) + 0.0

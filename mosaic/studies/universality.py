"""Do SAEs of different models learn the same features? Latents of several models on the same tokens, and their geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import universality as measures
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.studies import universality_said as said
from mosaic.studies.feature_spaces import (
    SUBSETS,
    Compared,
    Space,
    check_same_tokens,
    minus,
    random_spaces,
    spaces,
    untrained_spaces,
)
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.seeds import held_out_texts
from mosaic.studies.study import Study

MEASURES = ("svcca", "rsa")
DISCOVERY = 0.05
PUBLISHED_PAIRS = (7553, 1879)  # the most and the fewest that the published notebooks keep
PUBLISHED_SIZES = (512, 768)  # d of Pythia-70M and Pythia-160M
LEAST_OF_A_KIND = 10  # pairs
RANDOM, UNTRAINED = "random dictionaries", "an SAE of the untrained model"


@dataclass(frozen=True)
class Universality(Study):
    """SVCCA and RSA of decoder rows whose latents fire alike, for every pair of layers of every two models.

    grid: every comparison. itself: the middle layer's SAE against itself. controls: {what: its spaces against the other model's
    middle layer}. kinds: {kind of factor: numbers of the main comparison's pairs whose first latent tracks one}. n_tokens: read.
    """

    name: ClassVar[str] = "universality"
    needs: ClassVar[tuple[str, ...]] = ("others",)

    grid: tuple[Compared, ...]
    itself: Compared
    controls: Mapping[str, Sequence[Compared]]
    kinds: Mapping[str, np.ndarray]
    n_tokens: int

    def summary(self) -> dict:
        main, share, against = self.main, self._significant(), self.trained_minus
        depth, kinds, nulls = self._depth(), self._kinds(), one_component_nulls()
        return {
            "n_tokens": self.n_tokens,
            "main": self._row(main),
            "itself": self._row(self.itself),
            "grid": [self._row(one) for one in self.grid],
            "significant": share,
            "trained_minus": against,
            "middle_minus_ends": depth,
            "kinds": kinds,
            "one_component": nulls,
            "sentences": {
                "main": said.alike(
                    main.first.name, main.second.name, {m: getattr(main, m).summary() for m in MEASURES}
                ),
                "grid": said.grid(share),
                "controls": " ".join(said.control(name, found) for name, found in against.items()),
                "depth": said.depth(depth),
                "kinds": said.groups(kinds),
                "one_component": said.one_component(list(nulls.values())),
            },
        }

    @property
    def main(self) -> Compared:
        """The profile's middle layer against the middle layer of the first other model."""
        return self.grid[0]

    def figure(self):
        """Excess of SVCCA over a permuted pairing, every layer of one model against every layer of another."""
        return self._map("svcca", "SVCCA, excess over a permuted pairing")

    def rsa_figure(self):
        """The same of RSA."""
        return self._map("rsa", "RSA, excess over a permuted pairing")

    def controls_figure(self):
        """What the trained SAE's excess is above that of each control, on as many pairs."""
        rows = [
            {"set": f"minus {name}", "features": said.NAMES[measure], "macro_f1": one["difference"]}
            | dict(zip(("low", "high"), one["interval"], strict=True))
            for name, found in self.trained_minus.items()
            for measure, one in found.items()
            if one
        ]
        return plots.finished(plots.intervals(rows, "excess over a permuted pairing, trained minus control", zero=True))

    def table(self) -> tables.Html:
        """Every pair of layers: pairs of latents, correlation, both measures beside their permuted pairings."""
        rows = []
        for one in self.grid:
            row = {"first": one.first.name, "second": one.second.name, "n": len(one.pairs), "r": one.pairs.r.mean()}
            for measure in ("svcca", "rsa", "one_component"):
                found = getattr(one, measure)
                row |= {measure: found.observed, f"{measure} null": float(found.null.mean())}
            rows.append(row)
        headings = {"first": "SAE", "second": "other SAE", "n": "pairs", "r": "mean r"}
        shown = {"svcca": "SVCCA", "rsa": "RSA", "one_component": "one component"}
        for measure, heading in shown.items():
            headings |= {measure: heading, f"{measure} null": "permuted"}
        return tables.table(rows, headings)

    def _map(self, measure: str, label: str):
        first = list(dict.fromkeys(one.first.name for one in sorted(self.grid, key=_place(self.grid, "first"))))
        second = list(dict.fromkeys(one.second.name for one in sorted(self.grid, key=_place(self.grid, "second"))))
        values = np.full((len(first), len(second)), np.nan)
        for one in self.grid:
            values[first.index(one.first.name), second.index(one.second.name)] = getattr(one, measure).excess
        return plots.finished(plots.heatmap(values, first, second, label).figure)

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
        """{measure: {k, n, share, interval}} of layer pairs above a permuted pairing, Benjamini and Hochberg at DISCOVERY."""
        from scipy.stats import binomtest, false_discovery_control

        out = {}
        for measure in MEASURES:
            p = false_discovery_control([getattr(one, measure).p for one in self.grid])
            k, n = int((p <= DISCOVERY).sum()), len(p)
            interval = binomtest(k, n).proportion_ci(method="wilson")
            out[measure] = {"k": k, "n": n, "share": k / n, "interval": [float(interval.low), float(interval.high)]}
        return out

    @cached_property
    def trained_minus(self) -> dict:
        """{control: {measure: excess of the trained SAE minus the control's}}, as `minus` gives it."""
        return {
            name: {measure: minus([self.main], of, measure) for measure in MEASURES}
            for name, of in self.controls.items()
        }

    def _depth(self) -> dict | None:
        """Both layers inside, minus at least one of them at an end of those read, excess SVCCA."""
        layers = {
            model: sorted(
                {space.layer for one in self.grid for space in (one.first, one.second) if space.model == model}
            )
            for model in {space.model for one in self.grid for space in (one.first, one.second)}
        }
        ends = [
            any(space.layer in (layers[space.model][0], layers[space.model][-1]) for space in (one.first, one.second))
            for one in self.grid
        ]
        inside, outside = ([one for one, at in zip(self.grid, ends, strict=True) if at is end] for end in (False, True))
        return minus(inside, outside, "svcca") if inside and outside else None

    def _kinds(self) -> dict:
        """{kind: RSA of its pairs minus that of as many drawn from all}; the interval is over draws."""
        x, y = self.main.rows
        out = {}
        for kind, chosen in self.kinds.items():
            if len(chosen) < LEAST_OF_A_KIND:
                continue
            own = measures.rsa(x[chosen], y[chosen], permutations=1).observed
            drawn = self._rsa_of_any(len(chosen))
            low, high = np.quantile(drawn, [0.025, 0.975])
            out[kind] = {
                "n": len(chosen),
                "rsa": own,
                "of_any": float(drawn.mean()),
                "difference": own - float(drawn.mean()),
                "interval": [own - float(high), own - float(low)],
            }
        return out

    def _rsa_of_any(self, n: int, draws: int = 4 * SUBSETS) -> np.ndarray:
        rng, (x, y) = np.random.default_rng(n), self.main.rows
        chosen = [rng.choice(len(x), n, replace=False) for _ in range(draws)]
        return np.array([measures.rsa(x[rows], y[rows], permutations=1).observed for rows in chosen])


def run(
    profile: str | Profile, *, n_texts: int = 2000, device: str = "cpu", cache: Path | None = CACHE
) -> Universality:
    """Every SAE of the profile's main width, and of those it names under `others`, on n_texts texts that none was trained on."""
    profile, lm = opened(profile, device)
    texts = held_out_texts(profile, n_texts)
    by_model, ids = {}, None
    for one in (profile, *map(load_profile, profile.others)):
        own = lm if one is profile else opened(one, device)[1]
        by_model[one.name], read = spaces(one, own, texts)
        ids = read if ids is None else ids
        check_same_tokens(profile.name, ids, one.name, read)
    pairs = [(a, b) for one, other in combinations(by_model.values(), 2) for a in one for b in other]
    middle = next(space for space in by_model[profile.name] if space.layer == profile.middle)
    theirs = load_profile(profile.others[0])
    facing = next(space for space in by_model[theirs.name] if space.layer == theirs.middle)
    pairs.sort(key=lambda pair: pair != (middle, facing))  # the main one first
    controls = {RANDOM: random_spaces(profile, lm, texts), UNTRAINED: untrained_spaces(profile, lm, texts)}
    grid = tuple(Compared.of(*pair) for pair in pairs)
    return Universality(
        profile,
        grid,
        Compared.of(middle, middle),
        {name: [Compared.of(space, facing) for space in of] for name, of in controls.items() if of},
        kinds_of(profile, lm, middle, grid[0], cache) if profile.truth else {},
        len(ids),
    )


def kinds_of(profile: Profile, lm, middle: Space, main: Compared, cache: Path | None) -> dict[str, np.ndarray]:
    """{kind of factor: numbers of the pairs whose first latent tracks a factor of that kind}."""
    from mosaic.interpretation import tracking

    rows, factors = tracking.texts()
    (table,) = tracking.tables(rows, lm, load_saes(profile, lm, [middle.layer], [profile.width]), cache)
    kind = {factor.name: factor.kind or "language" for factor in factors}
    named = {latent: kind[name.rsplit(" (", 1)[0]] for latent, name in tracking.names(table, rows, factors).items()}
    found: dict[str, list[int]] = {}
    for number, latent in enumerate(main.pairs.first):
        if int(latent) in named:
            found.setdefault(named[int(latent)], []).append(number)
    return {name: np.array(numbers) for name, numbers in sorted(found.items())}


def one_component_nulls(permutations: int = measures.PERMUTATIONS) -> dict[str, dict]:
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


def _place(grid: Sequence[Compared], side: str):
    """Order of a side's spaces: models as they come, layers from the first."""
    models = list(dict.fromkeys(getattr(one, side).model for one in grid))
    return lambda one: (models.index(getattr(one, side).model), getattr(one, side).layer)

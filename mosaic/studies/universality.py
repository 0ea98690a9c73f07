"""Do SAEs of different models learn the same features? Latents of several models on the same tokens, and their geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import universality as measures
from mosaic.errors import MosaicError
from mosaic.profiles.opening import load_saes, select_saes
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.studies import universality_said as said
from mosaic.studies.feature_spaces import (
    LEAST_PAIRS,
    Compared,
    Space,
    check_same_tokens,
    mean,
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
DRAWS = 200  # of as many pairs as are of a kind
PERMUTED = 2_000  # pairings of one component
RANDOM, UNTRAINED = "random dictionaries", "an SAE of the untrained model"


@dataclass(frozen=True)
class Universality(Study):
    """SVCCA and RSA of decoder rows whose latents fire alike, for every pair of layers of the profile's model and another.

    grid: every comparison, the middle layers first. itself: the middle layer's SAE against itself. controls: {what: its spaces
    against the other model's middle layer}. kinds: {kind of factor: numbers of the main comparison's pairs whose first latent
    tracks one}. n_tokens: read.
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
        kinds, nulls = self._kinds(), one_component_nulls()
        return {
            "n_tokens": self.n_tokens,
            "least_correlation": measures.LEAST,
            "main": self._row(main),
            "itself": self._row(self.itself),
            "grid": [self._row(one) for one in self.grid],
            "significant": share,
            "trained_minus": against,
            "kinds": kinds,
            "one_component": nulls,
            "sentences": {
                "main": said.alike(
                    main.first.name, main.second.name, {m: getattr(main, m).summary() for m in MEASURES}
                ),
                "grid": said.grid({measure: share[measure] for measure in MEASURES}),
                "controls": " ".join(said.control(name, found) for name, found in against.items()),
                "kinds": said.groups(kinds),
                "one_component": said.one_component(
                    list(nulls.values()),
                    main.one_component.summary(),
                    share["one_component"],
                    max(one.one_component.observed for one in self.grid),
                ),
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
        """RSA of the trained SAE and of each control against the other model, with 95 % over pairs of latents."""
        rows = []
        for name, of in {"trained SAE": [self.main], **self.controls}.items():
            found = mean(of)
            low, high = found.interval()
            rows.append({"set": said.NAMES["rsa"], "features": name, "macro_f1": found.value, "low": low, "high": high})
        return plots.finished(plots.intervals(rows, "RSA, 95 % over pairs of latents", zero=True))

    def table(self) -> tables.Html:
        """Every pair of layers: pairs of latents, correlation, both measures beside their permuted pairings."""
        rows = []
        for one in self.grid:
            row = {
                "first": one.first.name,
                "second": one.second.name,
                "n": len(one.pairs),
                "r": float(one.pairs.r.mean()),
            }
            for measure in ("svcca", "rsa", "one_component"):
                found = getattr(one, measure)
                row |= {measure: found.observed, f"{measure} null": round(float(found.null.mean()), 3) + 0.0}
            rows.append(row)
        headings = {"first": "SAE", "second": "other SAE", "n": "pairs", "r": "mean r"}
        shown = {"svcca": "SVCCA", "rsa": "RSA", "one_component": "one component"}
        for measure, heading in shown.items():
            headings |= {measure: heading, f"{measure} null": "permuted"}
        return tables.table(rows, headings)

    def _map(self, measure: str, label: str):
        """The other models' layers down, the profile's own across."""
        own, theirs = (sorted({_place(space) for space in side}) for side in self._sides())
        values = np.full((len(theirs), len(own)), np.nan)
        for one in self.grid:
            place = theirs.index(_place(one.second)), own.index(_place(one.first))
            values[place] = getattr(one, measure).excess
        down, across = [name for *_, name in theirs], [str(layer) for _, layer, _ in own]
        ax = plots.heatmap(values, down, across, label, digits=3)
        ax.set_xlabel(f"layer of {own[0][0]}")
        return plots.finished(ax.figure)

    def _sides(self) -> tuple[list[Space], list[Space]]:
        return [one.first for one in self.grid], [one.second for one in self.grid]

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
            p = false_discovery_control([getattr(one, measure).p for one in self.grid])
            k, n = int((p <= DISCOVERY).sum()), len(p)
            out[measure] = {"k": k, "n": n, "share": k / n}
        return out

    @cached_property
    def trained_minus(self) -> dict:
        """{control: RSA of the trained SAE minus the control's}, as `minus` gives it."""
        return {name: minus([self.main], of) for name, of in self.controls.items()}

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

    def _rsa_of_any(self, n: int, draws: int = DRAWS) -> np.ndarray:
        rng, (x, y) = np.random.default_rng(n), self.main.rows
        chosen = [rng.choice(len(x), n, replace=False) for _ in range(draws)]
        return np.array([measures.rsa(x[rows], y[rows], permutations=1).observed for rows in chosen])


def run(
    profile: str | Profile, *, n_texts: int = 2000, device: str = "cpu", cache: Path | None = CACHE
) -> Universality:
    """Every SAE of the profile's main width, and of those it names under `others`, on n_texts texts that none was trained on."""
    profile = load_profile(profile) if isinstance(profile, str) else profile
    others = others_of(profile)  # before anything long
    profile, lm = opened(profile, device)
    texts = held_out_texts(profile, n_texts)
    own, ids = spaces(profile, lm, texts)
    theirs = []
    for other in others:
        found, read = spaces(other, opened(other, device)[1], texts)
        check_same_tokens(profile.name, ids, other.name, read)
        theirs += found
    middle = next(space for space in own if space.layer == profile.middle)
    facing = next(space for space in theirs if space.layer == others[0].middle)
    pairs = [(middle, facing), *((a, b) for a in own for b in theirs if (a, b) != (middle, facing))]
    grid = [compared for compared in (Compared.of(*pair) for pair in pairs) if len(compared.pairs) >= LEAST_PAIRS]
    if not grid or grid[0].second is not facing or grid[0].first is not middle:
        raise MosaicError(
            f"fewer than {LEAST_PAIRS} latents of {middle.name} fire like one of {facing.name} on {len(texts)} texts. Read more of "
            "them (n_texts)."
        )
    controls = {RANDOM: random_spaces(profile, lm, texts), UNTRAINED: untrained_spaces(profile, lm, texts)}
    against = {name: [Compared.of(space, facing) for space in of] for name, of in controls.items()}
    return Universality(
        profile,
        tuple(grid),
        Compared.of(middle, middle),
        {name: of for name, of in against.items() if of and all(len(one.pairs) >= LEAST_PAIRS for one in of)},
        kinds_of(profile, lm, middle, grid[0], cache) if profile.truth else {},
        len(ids),
    )


def others_of(profile: Profile) -> tuple[Profile, ...]:
    """The profiles it names under `others`. Raises MosaicError for one with its own name, one that stands twice, and one without
    an SAE of its main width at its middle layer."""
    others = tuple(map(load_profile, profile.others))
    names = [profile.name, *(other.name for other in others)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise MosaicError(f"profile {profile.name}, others: {name} stands twice. Name every other model once.")
    for one in (profile, *others):
        select_saes(one, [one.middle], [one.width])
    return others


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

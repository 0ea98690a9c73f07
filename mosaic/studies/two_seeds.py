"""Two SAEs that differ in their seed alone: what they share, at every threshold, beside chance and controls."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import stability
from mosaic.agreement.cosines import unit_rows
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.resampling import Estimate, jackknife, pair_mean
from mosaic.agreement.stability import Match
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.reporting.colours import INK
from mosaic.reporting.results import shown
from mosaic.saes import sweep
from mosaic.saes.dictionary import Dictionary, load_dictionary
from mosaic.studies import two_seed_sentences as sentences
from mosaic.studies import two_seeds_slider
from mosaic.studies.problems import CACHE
from mosaic.studies.seeds import base_of, held_out_texts, seed_rows, seeds_of
from mosaic.studies.study import Study
from mosaic.studies.wording import read_here, same_batches

CONTROLS = {
    "seeds": "other start, same texts",
    "permuted": "permuted copy",
    "untrained": "untrained pair",
    "same_start": "same start, other texts",
}
ROWS = {
    "shared_fraction": "shared",
    "equal_fraction": "equal partners",
    "pw_mcc": "mean matched cosine (PW-MCC)",
    "pw_mcc_absolute": "PW-MCC, signs ignored",
    "mean_max_cosine": "mean nearest cosine",
}


@dataclass(frozen=True)
class TwoSeeds(Study):
    """The first two seeds of the base, matched.

    by_eye: two SAEs of 32 latents, trained for this chapter on by_eye_tokens activations. base: the seeds' setting; pair: its first two, matched.
    figures: as `mosaic match --json` gives them. curves: name -> {threshold: shared fraction}, chance among them.
    controls: kind of pair -> shared fraction, its interval, and over how many pairs. disagree: `disagree_record`. chance: name ->
    the drawn pair of its curve, for the slider alone.
    """

    name: ClassVar[str] = "two_seeds"
    needs: ClassVar[tuple[str, ...]] = ("seeds",)

    by_eye_tokens: int
    by_eye: Match
    base: sweep.SeedGroup
    pair: Match
    figures: dict
    curves: dict[str, dict[float, float]]
    controls: dict[str, dict]
    disagree: dict
    chance: dict[str, Match] = field(default_factory=dict)

    def summary(self) -> dict:
        first = self.base.rows[0]
        return {
            "seed_a": self.base.seeds[0],
            "seed_b": self.base.seeds[1],
            "same_batches": same_batches(self.base.rows),
            "setting": {key: first[key] for key in sweep.KEYS},
            "by_eye_tokens": self.by_eye_tokens,
            "n_latents": self.pair.n,
            "d_in": self.pair.a.d_in,
            "figures": {key: value for key, value in self.figures.items() if key != "pairs"},
            "chance_cosine": self.figures["chance"]["random dictionary"]["pw_mcc"],
            "disagree": self.disagree,
            "controls": self.controls,
            "same_start": self.controls.get("same_start", {}).get("shared"),
            "exact": self.figures["exact"],
            "sentences": {
                "read": read_here(self.base.rows),
                "batches": sentences.batches(same_batches(self.base.rows)),
                "disagree": sentences.disagree(self.disagree),
                "minority": sentences.minority(self.controls["seeds"]),
                "same_start": sentences.same_start(self.controls),
            },
        }

    def figure(self):
        """Histogram of the matched decoders' cosines, split by whether the encoders were matched the same way."""
        groups = {
            "decoder and encoder agree": self.pair.decoder.cosine[self.pair.equal],
            "they disagree": self.pair.decoder.cosine[disagreeing(self.pair)],
        }
        lines = {
            "chance (random dictionary)": self.figures["chance"]["random dictionary"]["pw_mcc"],
            "threshold": stability.THRESHOLD,
        }
        return plots.finished(plots.distribution(groups, "cosine of matched decoder rows", lines).figure)

    def by_eye_figure(self):
        """Every decoder row of one small SAE against every row of the other, as trained and with partners opposite."""
        import matplotlib.pyplot as plt

        pair = self.by_eye
        order = np.argsort(-np.fmin(pair.decoder.cosine, pair.encoder.cosine))
        cosines = unit_rows(pair.a.decoder)[0][order] @ unit_rows(pair.b.decoder)[0].T
        figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.5), sharey=True)
        titles = ("as trained", f"matched: {pair.shared().sum()} of {pair.n} are shared")
        for ax, columns, title in zip(axes, (np.arange(pair.n), pair.decoder.partner[order]), titles, strict=True):
            image = ax.imshow(cosines[:, columns], cmap="viridis", vmin=-0.2, vmax=1)
            ax.set_title(title, color=INK)
            ax.set(xlabel="latents of seed 1", xticks=[], yticks=[])
            ax.grid(False)
        axes[0].set_ylabel("latents of seed 0")
        figure.colorbar(image, ax=axes, label="cosine of decoders", shrink=0.8)
        return plots.finished(figure)

    def threshold_curves(self):
        """The shared fraction at every threshold: all latents, those that fire, and three baselines of chance."""
        return plots.finished(plots.steps(self.curves, "threshold on both cosines", "shared fraction").figure)

    def threshold_slider(self) -> tables.Html:
        """The matched cosines, and the share that a threshold lets through; chance beside it."""
        return two_seeds_slider.slider(self.pair, self.chance)

    def table(self) -> tables.Html:
        """The pair's figures beside those of its latents that fire and of each baseline."""
        columns = {"all latents": self.figures, "alive only": self.figures["alive"] or {}, **self.figures["chance"]}
        rows = [
            {"figure": label, **{name: values.get(key) for name, values in columns.items()}}
            for key, label in ROWS.items()
        ]
        return tables.table(rows, {"figure": "figure", **{name: name for name in columns}})

    def controls_table(self) -> tables.Html:
        """Pairs that must agree, pairs that must not, and pairs of one start that saw other texts."""
        rows = [
            {"pair": CONTROLS[name], **values, "within": shown(values["interval"])}
            for name, values in self.controls.items()
        ]
        return tables.table(rows, {"pair": "pair", "shared": "shared", "within": "95 %", "pairs": "pairs"})


def run(profile: str | Profile, *, tokens: int = 200_000, device: str = "cpu", cache: Path | None = CACHE) -> TwoSeeds:
    """Match the base's first two seeds. tokens: that the small pair is trained on. cache: not used, nothing is extracted."""
    profile, base = base_of(profile)
    rows = seed_rows(profile)
    seeds = seeds_of(profile, base.rows, device)
    pair = seeds.matches[0, 1]
    controls = {
        "seeds": over_seeds(seeds),
        "permuted": over_draws(stability.match(x, permuted(x, 0), device) for x in seeds.dictionaries[:3]),
        "untrained": over_draws(drawn(pair, "untrained SAEs", seed, device) for seed in range(3)),
    }
    same_start = sweep.same_start(rows)
    if len(same_start) > 1:
        controls["same_start"] = over_seeds(seeds_of(profile, same_start, device))
    by_eye = trained_by_eye(profile, load_model(profile, device), tokens)
    figures = stability.summary(pair, baselines=3, device=device)
    chance = {name: drawn(pair, name, 0, device) for name in stability.BASELINES}
    curves = threshold_curves(pair, chance, device)
    disagree = disagree_record(disjoint_pairs(seeds))
    return TwoSeeds(profile, tokens, by_eye, base, pair, figures, curves, controls, disagree, chance)


def trained_by_eye(profile: Profile, lm: LanguageModel, tokens: int) -> Match:
    """Two SAEs of 32 latents, trained here on the same activations in the same order, matched."""
    from mosaic.saes import training
    from mosaic.saes.recipe import SAESpec, TrainRun

    specs = [SAESpec(profile.middle, width=32, k=4, seed=seed) for seed in (0, 1)]
    run = TrainRun(tokens=tokens, batch_size=256)
    with tempfile.TemporaryDirectory() as folder:
        rows = training.train(lm, held_out_texts(profile, 6000), specs, run, Path(folder))
        return stability.match(*(load_dictionary(Path(folder) / row["name"]) for row in rows))


def threshold_curves(pair: Match, chance: Mapping[str, Match], device: str = "cpu") -> dict[str, dict[float, float]]:
    """{series: {threshold: shared fraction}} of all latents, of those that fire (where that was measured), of chance ({name: a
    drawn pair})."""
    living = stability.match_alive(pair, device)
    curves = {"all latents": pair.curve()}
    if living is not None:
        curves["alive only"] = living.curve()
    return curves | {f"chance: {name}": one.curve() for name, one in chance.items()}


def drawn(pair: Match, baseline: str, seed: int, device: str = "cpu") -> Match:
    """A pair of the same sizes that knows nothing."""
    return stability.match(*stability.BASELINES[baseline](pair.a, pair.b, seed), device)


def permuted(dictionary: Dictionary, seed: int) -> Dictionary:
    """The same SAE with its latents in another order."""
    return dictionary.only(np.random.default_rng(seed).permutation(len(dictionary)))


def over_seeds(seeds: Seeds) -> dict:
    """{shared, interval, se, df, pairs}: the mean shared fraction over all pairs of SAEs, 95 % over SAEs (each left out in
    turn, with its pairs)."""
    values = {pair: float(found.shared().sum() / found.n) for pair, found in seeds.matches.items()}
    return _control(pair_mean(values), len(values))


def over_draws(matches: Iterable[Match]) -> dict:
    """The same of pairs that have no SAE in common: each is one draw."""
    values = [float(pair.shared().sum() / pair.n) for pair in matches]
    total = sum(values)
    without = [(total - one) / (len(values) - 1) if len(values) > 1 else None for one in values]
    return _control(jackknife(total / len(values), without), len(values))


def _control(found: Estimate, pairs: int) -> dict:
    return {
        "shared": found.value,
        "interval": found.share_interval(),
        "se": found.se,
        "df": found.df,
        "pairs": pairs,
    }


def disagreeing(pair: Match) -> np.ndarray:
    """[len(a)] bool: matched by the decoder, but to another partner than by the encoder."""
    return ~pair.equal & (pair.decoder.partner >= 0)


def disjoint_pairs(seeds: Seeds) -> list[Match]:
    """The pairs (0, 1), (2, 3), ...: no SAE stands in two of them, so that they are independent."""
    return [seeds.matches[i, i + 1] for i in range(0, len(seeds) - 1, 2)]


def disagree_record(pairs: Sequence[Match], threshold: float = stability.THRESHOLD) -> dict:
    """{below, interval, n, pairs}: of the n latents whose two matchings disagree, the share whose smaller cosine is below
    the threshold, so that the threshold alone would have removed them. None where none disagree.

    interval: 95 %, exact for a share of n latents (Clopper and Pearson): where all lie below, it says how few there are.
    """
    from scipy.stats import binomtest

    lower = np.concatenate([np.fmin(p.decoder.cosine, p.encoder.cosine)[disagreeing(p)] for p in pairs])
    n, below = len(lower), int((lower < threshold).sum())
    if not n:
        return {"below": None, "interval": None, "n": 0, "pairs": len(pairs)}
    edges = binomtest(below, n).proportion_ci(0.95, "exact")
    return {"below": below / n, "interval": [float(edges.low), float(edges.high)], "n": n, "pairs": len(pairs)}

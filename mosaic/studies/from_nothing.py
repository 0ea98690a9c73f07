"""SAEs from nothing: superposition on a toy, an SAE trained here and now and read against the truth, three latents with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import tables
from mosaic.reporting.pipeline import Pipeline
from mosaic.studies import from_nothing_figures as figures
from mosaic.studies import from_nothing_said as said
from mosaic.studies import named_latents, pictures, toy_sae, toy_superposition
from mosaic.studies.named_latents import NamedLatent
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.study import Study
from mosaic.studies.toy_reading import Reading, linear_fvu, overlaps, sae_fvu
from mosaic.studies.toy_sae import Recipe, World
from mosaic.studies.toy_superposition import REPRESENTED, Learned, Toy, mean_interval

PLANE = Toy(
    n_features=5, d=2, densities=(1.0, 0.2, 0.05), n_seeds=3, importance=0.7, steps=1200
)  # few enough to be drawn
WIDTHS = (8, 16, 64)  # beside the number of true features
KS = (1, 3, 5, 8)  # beside the base's
L1 = (0.1, 0.3, 0.6)
PENALISED = 0.6  # the weight whose latents are held against TopK's of nearest L0
BASE, WORLD = Recipe(), World()
SENTENCE = 'Karia says: "you are stupid". you are not clever.'  # two statements, as the texts its probe learned from


@dataclass(frozen=True)
class FromNothing(Study):
    """plane: five features in two dimensions. models: {"ReLU", "linear": the toy of superposition}. base: the SAE of as many latents
    as features. by_width, by_k, by_l1: SAEs that differ from it in one thing. random: a dictionary that learned nothing. linear: what the
    best linear reading leaves of the amplitudes' variance. latents: of the profile's SAE, by factor; unlearned: AUROC of a
    random dictionary's best for the same."""

    name: ClassVar[str] = "from_nothing"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    picture: Pipeline
    plane: Learned
    models: Mapping[str, Learned]
    base: Reading
    by_width: Mapping[int, Reading]
    by_k: Mapping[int, Reading]
    by_l1: Mapping[float, Reading]
    random: Reading
    linear: float
    latents: Sequence[NamedLatent]
    unlearned: Mapping[str, float]

    def summary(self) -> dict:
        history = self.base.sae.history
        return {
            "toy": {"n_features": self.models["ReLU"].toy.n_features, "d": self.models["ReLU"].toy.d},
            "plane": self._plane_counts(),
            "represented": {name: self.represented(name) for name in self.models},
            "least_rise": self.least_rise,
            "linear_largest": self._linear_largest(),
            "world": {"n_features": self.base.world.n_features, "d": self.base.world.d, "p": self.base.world.p},
            "base": self.base.row(),
            "start": {name: values[0] for name, values in history.items()},
            "end": {name: values[-1] for name, values in history.items()},
            "widths": {str(width): one.row() for width, one in self.by_width.items()},
            "ks": {str(k): one.row() for k, one in self.by_k.items()},
            "l1": [{"weight": weight, **one.row()} for weight, one in self.by_l1.items()],
            "random": {"cosine": float(self.random.nearest.mean()), "found": int((self.random.partner >= 0).sum())},
            "amplitudes": {"linear": self.linear, "sae": sae_fvu(self.base)},
            "overlaps": overlaps(self.base, 0),
            "shrinkage": self.shrinkage,
            "latents": {one.name: one.row() | {"random": self.unlearned[one.name]} for one in self.latents},
            "probe": {"answer": self.picture.answer, "probability": self.picture.probability},
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        return {
            "picture": self.picture.said(),
            "plane": said.plane(self._plane_counts(), PLANE.n_features),
            "rise": said.rise(self.represented("ReLU"), self.least_rise),
            "linear": said.linear_model(self.represented("linear"), self.models["linear"].toy.d),
            "amplitudes": said.amplitudes(self.linear, sae_fvu(self.base)),
            "overlap": said.overlap(overlaps(self.base, 0)),
            "training": said.training(self.base.sae.history),
            "found": said.found(self.base.row(), self.base.world.n_features, float(self.random.nearest.mean())),
            "width": said.widths(
                {width: one.row() for width, one in self.by_width.items()}, self.base.world.n_features
            ),
            "k": said.ks({k: one.row() for k, one in self.by_k.items()}, self.base.world.n_features),
            "shrinkage": said.shrinkage(self.shrinkage),
            "unlearned": said.unlearned([(one.low, self.unlearned[one.name]) for one in self.latents]),
            "latents": said.latents([one.row() | {"name": one.name} for one in self.latents]),
        }

    def represented(self, name: str) -> dict[str, dict]:
        """{density in per cent: {mean, interval}} of the features that a toy model represents; over seeds."""
        learned = self.models[name]
        out = {}
        for density, counts in zip(learned.toy.densities, learned.represented(), strict=True):
            mean, low, high = mean_interval(counts)
            out[f"{100 * density:g}"] = {"mean": mean, "interval": [low, high]}
        return out

    def _plane_counts(self) -> dict[str, int]:
        """{density in per cent: features represented in the plane by the drawn model}."""
        long = [(self.plane.best(i) ** 2).sum(1) > REPRESENTED for i in range(len(PLANE.densities))]
        return {f"{100 * p:g}": int(kept.sum()) for p, kept in zip(PLANE.densities, long, strict=True)}

    @cached_property
    def least_rise(self) -> dict:
        """The smallest rise of that number from one density to the next sparser one; 95 % over seeds."""
        rises = np.diff(self.models["ReLU"].represented(), axis=0)
        mean, low, high = mean_interval(rises[rises.mean(1).argmin()])
        return {"value": mean, "interval": [low, high]}

    def _linear_largest(self) -> dict:
        """The most features a linear model represents at any density, minus its dimensions; 95 % over seeds."""
        counts = self.models["linear"].represented() - self.models["linear"].toy.d
        mean, low, high = mean_interval(counts[counts.mean(1).argmax()])
        return {"value": mean, "interval": [low, high]}

    @cached_property
    def shrinkage(self) -> dict:
        """What an L1 penalty makes of amplitudes, minus what TopK of the nearest L0 does, mean over features; 95 % over features."""
        penalised = self.by_l1[PENALISED]
        k, topk = min(self.by_k.items(), key=lambda item: abs(item[1].l0 - penalised.l0))
        first, second = penalised.heard(), topk.heard()
        if min(len(first), len(second)) < 2:
            return {"l1": None, "topk": None, "k": k, "difference": None, "interval": None}
        error = float(np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))) * 1.96
        difference = float(first.mean() - second.mean())
        return {
            "l1": float(first.mean()),
            "topk": float(second.mean()),
            "k": k,
            "difference": difference,
            "interval": [difference - error, difference + error],
        }

    # --- figures and tables ---------------------------------------------------------------------------------------

    def overview(self) -> tables.Html:
        """Sentence, tokens, residual vectors, SAE, pooled row, probe: one picture."""
        return self.picture.html()

    def plane_figure(self):
        """Five features in two dimensions, at each density: where each is written."""
        return figures.plane(self.plane)

    def figure(self):
        """Features represented, by how often they are active; the linear model beside it."""
        return figures.represented({name: self.represented(name) for name in self.models}, self.models["ReLU"].toy.d)

    def along_figure(self, feature: int = 0):
        """One feature, present and absent: read by its direction, read by its latent."""
        return figures.along(self.base, feature)

    def training_figure(self):
        """Loss, L0 and fraction of variance unexplained, step by step."""
        return figures.training(self.base.sae)

    def cosines_figure(self):
        """How near each latent is to a true direction; a random dictionary beside it."""
        return figures.cosines(self.base, self.random)

    def sparsity_slider(self) -> tables.Html:
        """Latents against true features, one frame a k."""
        return figures.sparsity_slider(self.by_k, BASE.k)

    def shrinkage_figure(self):
        """Activation over true amplitude, by the weight of the L1 penalty."""
        return figures.shrinkage(self.by_l1, self.by_k)

    def table(self) -> tables.Html:
        """SAEs of other widths on the same toy."""
        return reading_table(self.by_width)

    def latents_strips(self) -> tables.Html:
        """Each named latent on a sentence without its factor and on one with it."""
        return named_latents.contrasts(self.latents)

    def latents_figure(self):
        """How strongly each named latent fires in texts with its factor and without."""
        return figures.with_and_without(self.latents)


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> FromNothing:
    """Train the toys (a minute at most on two cores), read the profile's SAE."""
    from mosaic.progress import Progress

    profile, lm = opened(profile, device)
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    world, n = WORLD, WORLD.n_features
    recipes = {
        **{("width", width): replace(BASE, width=width) for width in sorted((*WIDTHS, n))},
        **{("k", k): replace(BASE, k=k) for k in sorted((*KS, BASE.k))},
        **{("l1", weight): replace(BASE, k=None, l1=weight) for weight in L1},
    }
    read: dict[Recipe, Reading] = {}
    with Progress("training toy SAEs", len(set(recipes.values())), unit="SAEs") as progress:
        for recipe in dict.fromkeys(recipes.values()):
            read[recipe] = learn(world, recipe)
            progress.advance(1, 0)
    of = {
        kind: {value: read[recipe] for (k, value), recipe in recipes.items() if k == kind}
        for kind in ("width", "k", "l1")
    }
    base = read[BASE]
    return FromNothing(
        profile=profile,
        picture=pictures.pipeline(profile, sentence=SENTENCE, device=device, cache=cache),
        plane=toy_superposition.train(PLANE),
        models={"ReLU": toy_superposition.train(Toy()), "linear": toy_superposition.train(Toy(relu=False))},
        base=base,
        by_width=of["width"],
        by_k=of["k"],
        by_l1=of["l1"],
        random=learn(world, replace(BASE, steps=0)),
        linear=linear_fvu(world),
        latents=named_latents.named_latents(lm, encoder, cache),
        unlearned=named_latents.of_random(lm, encoder, cache),
    )


def learn(world: World = WORLD, recipe: Recipe = BASE) -> Reading:
    """Train one small SAE on a toy world and read it against the truth: what the exercises call."""
    return Reading.of(world, toy_sae.train(world, recipe))


def reading_table(read: Mapping[object, Reading], what: str = "latents") -> tables.Html:
    """One line an SAE: L0, what it leaves, what it found. read: {what varies: its reading}."""
    rows = [{**one.row(), "value": value} for value, one in read.items()]
    headings = {
        "value": what,
        "l0": "L0",
        "fvu": "variance unexplained",
        "found": "true features found",
        "dead": "dead latents",
    }
    return tables.table(rows, headings | {"cosine": "mean cosine to the nearest", "heard": "activation / amplitude"})

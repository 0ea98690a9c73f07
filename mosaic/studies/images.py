"""Text SAEs on images: their features at the image tokens of a vision-language model against what learned nothing of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.probing.scores import Difference
from mosaic.profiles.opening import available
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.saes.described import describe
from mosaic.studies import image_scores, image_tokens, images_said, paper_values
from mosaic.studies.image_problems import image_token_sae, text_sae, text_unexplained
from mosaic.studies.image_scores import FEW, HIDDEN, PIXELS, RANDOM, TOWER, UNTRAINED, ImageScores, score_images
from mosaic.studies.image_tokens import TwoSAEs
from mosaic.studies.problems import CACHE, load_cut
from mosaic.studies.study import Study

PICTURES = 10
BESIDE = {
    HIDDEN: HIDDEN,
    RANDOM: "random dictionaries",
    UNTRAINED: "an untrained language model",
    TOWER: f"the {TOWER}",
    PIXELS: f"the {PIXELS}",
}  # told set by set


@dataclass(frozen=True)
class Images(Study):
    """Macro-F1 on images of features of text SAEs, and how much of image tokens the SAEs leave unexplained.

    sets: {name: its scores}. of_texts: fraction of variance unexplained of texts. two_saes: {name: an SAE of texts beside one of
    image tokens}, empty where the profile names none of image tokens.
    """

    name: ClassVar[str] = "images"
    needs: ClassVar[tuple[str, ...]] = ("images",)

    sets: dict[str, ImageScores]
    of_texts: float
    two_saes: dict[str, TwoSAEs]

    def summary(self) -> dict:
        with_all, with_few = self._minus("full"), self._minus("few")
        return {
            "sets": {name: scored.summary()["all"] for name, scored in self.sets.items()},
            "n_dictionaries": len(self._first.full[RANDOM]),
            "few": {"k": FEW, **{name: scored.summary()["few"] for name, scored in self.sets.items()}},
            "minus": {kind: d.summary() for kind, d in with_all.items()},
            "few_minus": {kind: d.summary() for kind, d in with_few.items()},
            "mean": {
                kind: float(np.mean([image_scores.mean_of(scored.full[kind]) for scored in self.sets.values()]))
                for kind in self._first.full
            },
            "unexplained": {**self._of_images, "texts": self.of_texts},
            "image_tokens": image_tokens.summary(self.two_saes, self.profile.middle),
            "sentences": self._sentences(with_all, with_few),
        }

    def figure(self):
        """Test scores over the number of latents (or dimensions) kept, one panel a set."""
        panels = {
            name: {
                kind: [(p["k"], p["macro_f1"], p["low"], p["high"]) for p in curve]
                for kind, curve in scored.curves.items()
            }
            for name, scored in self.sets.items()
        }
        return plots.finished(plots.panels(panels, "latents kept"))

    def published_figure(self):
        """All latents: SAE features and hidden states with 95 % intervals over images; below, hollow, the paper's own sets."""
        rows = [
            {"set": name, "features": kind} | {key: result.row()[key] for key in ("macro_f1", "low", "high")}
            for name, scored in self.sets.items()
            for kind in (image_scores.SAE, image_scores.HIDDEN)
            for result in scored.full[kind]
        ]
        return plots.finished(plots.intervals([*rows, *paper_values.images()]))

    def pictures(self):
        """The first test images of each set."""
        import matplotlib.pyplot as plt

        figure, grid = plt.subplots(len(self.sets), PICTURES, figsize=(6.4, 0.8 * len(self.sets)), squeeze=False)
        for line, name in zip(grid, self.sets, strict=True):
            for ax, image in zip(line, _first(name), strict=False):
                ax.imshow(image, interpolation="nearest")
        for ax in grid.flat:
            ax.axis("off")
        return plots.finished(
            figure, f"The first {PICTURES} test images of each set, from above: {', '.join(self.sets)}."
        )

    def table(self) -> tables.Html:
        """Macro-F1, all latents; means over the draws of random dictionaries."""
        kinds = list(self._first.full)
        rows = [
            {"set": name, **{kind: image_scores.mean_of(scored.full[kind]) for kind in kinds}}
            for name, scored in self.sets.items()
        ]
        return tables.table(rows, {"set": "set", **{kind: kind for kind in kinds}})

    def image_tokens_table(self) -> tables.Html:
        """The SAE of texts beside that of image tokens, one layer."""
        return image_tokens.table(self.two_saes)

    @property
    def _first(self) -> ImageScores:
        return next(iter(self.sets.values()))

    @property
    def _of_images(self) -> dict[str, float]:
        """{set: fraction of variance unexplained of its image tokens}."""
        return {name: scored.unexplained for name, scored in self.sets.items()}

    def _minus(self, which: str) -> dict[str, Difference]:
        return image_scores.against([(scored.labels, getattr(scored, which)) for scored in self.sets.values()])

    def _by_set(self, kind: str) -> dict[str, Difference]:
        """{set: SAE features minus one other kind, all latents}."""
        return {name: image_scores.against([(one.labels, one.full)])[kind] for name, one in self.sets.items()}

    def _sentences(self, with_all: Mapping[str, Difference], with_few: Mapping[str, Difference]) -> dict[str, str]:
        n_draws = len(self._first.full[RANDOM])
        return {
            "all": images_said.images(*_three(with_all), "with all latents", n_draws),
            "set_by_set": images_said.set_by_set({words: self._by_set(kind) for kind, words in BESIDE.items()}),
            "before": images_said.without_the_language_model(with_all[TOWER], with_all[PIXELS]),
            "few_before": images_said.without_the_language_model(with_few[TOWER], with_few[PIXELS]),
            "few": images_said.images(*_three(with_few), f"with {FEW} latents or dimensions", n_draws),
            "image_tokens": image_tokens.sentence(self.two_saes, FEW),
            "off_text": images_said.off_text(self._of_images, self.of_texts),
        }


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Images:
    """The profile's text SAEs on each set of images. Sets are cut to its `max_train` and `max_test`."""
    profile = load_profile(profile) if isinstance(profile, str) else profile
    names = profile.vision.sets
    for source in (text_sae(profile), *([image_token_sae(profile)] if profile.vision.image_tokens else [])):
        describe(source)  # before anything long
    return Images(
        profile,
        {name: score_images(profile, name, device) for name in names},
        text_unexplained(profile, _texts(profile), device),
        {name: image_tokens.compare(profile, name, FEW, device) for name in names if profile.vision.image_tokens},
    )


def _first(name: str):
    """The first test images of a set, PICTURES of them where it has so many."""
    from mosaic.texts.image_sets import load_images

    test = load_images(name)[1]
    return test.take(range(min(PICTURES, len(test))))


def _texts(profile: Profile) -> list[str]:
    """Test texts of the profile's sets in several languages, or, where it has none, of its other sets."""
    choices = [(choice.name, language) for choice in profile.crossed for language in choice.languages]
    choices = choices or [(choice.name, choice.language) for choice in available(profile)]
    return [text for name, language in choices for text in load_cut(profile, name, language)[1].texts]


def _three(found: Mapping[str, Difference]) -> tuple[Difference, Difference, Difference]:
    return found[image_scores.HIDDEN], found[RANDOM], found[UNTRAINED]

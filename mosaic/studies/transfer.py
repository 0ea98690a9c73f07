"""Does it transfer? English probes on other languages, a small model's view of a large one, text SAEs on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.probing.scores import Difference
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import behaviour_figures, image_scores, languages_shown, transfer_said
from mosaic.studies.behaviour import MARGIN, Behaviour, behaviour
from mosaic.studies.image_problems import image_unexplained, text_unexplained
from mosaic.studies.image_scores import FEW, RANDOM, UNTRAINED, ImageScores, score_images
from mosaic.studies.languages import DIAGNOSED, LanguageScores, score_languages
from mosaic.studies.languages_compared import OTHERS, above_chance, below_chance, minus, over_sets
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.study import Study

TEXT_SETS = ("toxicity", "sentiment")  # as the paper; the corpus tells their labels, and the claims rest on them
NEVER_TOLD = ("agreement",)  # of the same messages, a label that no text of the corpus has; shown beside
IMAGE_SETS = ("digits", "shapes", "places")
DRAWN = ("digits", "shapes")  # shown; drawings of shapes and of places look alike
PICTURES = 10
FIRST = "SAE features (linear)"


@dataclass(frozen=True)
class Transfer(Study):
    """Macro-F1 of probes away from what they, or their SAEs, were trained on.

    languages, images: by set. unexplained: {set, or "texts": fraction of variance unexplained}. The first part of a test
    set (familiar words) decides; the other (new words) stands beside it.
    """

    name: ClassVar[str] = "transfer"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    languages: dict[str, LanguageScores]
    behaviour: Behaviour
    images: dict[str, ImageScores]
    unexplained: dict[str, float]

    def summary(self) -> dict:
        told = self._told()
        on_images, with_few = self._on_images("full"), self._on_images("few")
        return {
            "languages": {
                "sets": {name: found.summary() for name, found in self.languages.items()},
                "poolings": list(self.profile.poolings),
                **over_sets(told),
                "parts": {part: over_sets(told, part) for part in told[0].test.part_rows()},
                "never_told": over_sets([self.languages[name] for name in NEVER_TOLD]),
            },
            "behaviour": self.behaviour.summary(),
            "images": {name: scored.summary()["all"] for name, scored in self.images.items()},
            "images_few": {"k": FEW, **{name: scored.summary()["few"] for name, scored in self.images.items()}},
            "images_minus": {kind: d.summary() for kind, d in on_images.items()},
            "images_few_minus": {kind: d.summary() for kind, d in with_few.items()},
            "images_mean": {
                kind: float(np.mean([image_scores.mean_of(scored.full[kind]) for scored in self.images.values()]))
                for kind in next(iter(self.images.values())).full
            },
            "images_unexplained": self.unexplained,
            "sentences": self._sentences(on_images, with_few),
        }

    def figure(self):
        """Test scores by language, one panel a set; every probe is trained on English."""
        return languages_shown.by_language(self.languages)

    def native_figure(self):
        """Trained on English against trained on each language itself: means over the foreign languages."""
        return languages_shown.native(self.languages)

    def poolings_figure(self):
        """In English and abroad, by pooling, each at the layer that English validation chose for it; one panel a set."""
        return languages_shown.poolings(self.languages)

    def behaviour_figure(self):
        """Whether the large model answers right: told from the small model's features, and from its own."""
        return plots.finished(plots.intervals(self.behaviour.rows))

    def ranks_figure(self):
        """Who ranks the large model's answers, and how far each forecast is off."""
        found = self.behaviour.forecasts
        return behaviour_figures.ranks(found.ranking, found.calibration, found.noise)

    def reliability_figure(self):
        """What came true of what was forecast, for four of the forecasts."""
        return behaviour_figures.reliability(self.behaviour.forecasts.reliability)

    def pictures(self):
        """The first test images of each drawn set."""
        import matplotlib.pyplot as plt

        from mosaic.world.images import labelled_images

        figure, grid = plt.subplots(len(DRAWN), PICTURES, figsize=(7.2, 1.6))
        for line, name in zip(grid, DRAWN, strict=True):
            for ax, image in zip(line, labelled_images(name)[1][0][:PICTURES], strict=True):
                ax.imshow(image, interpolation="nearest")
                ax.axis("off")
        return plots.finished(figure)

    def few_latents_figure(self):
        """Test scores on images over the number of latents (or dimensions) kept, one panel a set."""
        panels = {
            name: {
                kind: [(p["k"], p["macro_f1"], p["low"], p["high"]) for p in curve]
                for kind, curve in scored.curves.items()
            }
            for name, scored in self.images.items()
        }
        return plots.finished(plots.panels(panels, "latents kept"))

    def table(self) -> tables.Html:
        """Mean macro-F1 over the languages that are not English: features, what trained the probe, set and part."""
        return languages_shown.means(self.languages)

    def diagnosis_table(self, name: str) -> tables.Html:
        """Why probes fall abroad, on one set: each pooling as it is, and after one repair at a time."""
        return languages_shown.diagnoses(self.languages[name].diagnosis)

    def images_table(self) -> tables.Html:
        """Macro-F1 on images, all latents; means over the draws of random dictionaries."""
        kinds = list(self.images[IMAGE_SETS[0]].full)
        rows = [
            {"set": name, **{kind: image_scores.mean_of(scored.full[kind]) for kind in kinds}}
            for name, scored in self.images.items()
        ]
        return tables.table(rows, {"set": "set", **{kind: kind for kind in kinds}})

    def _told(self) -> list[LanguageScores]:
        return [self.languages[name] for name in TEXT_SETS]

    def _viable(self, names: Sequence[str]) -> str:
        named = {name: self.languages[name] for name in names}
        sets = list(named.values())
        return transfer_said.viable(
            above_chance(sets),
            below_chance(named),
            minus(sets, "sae", "random dictionary"),
            minus(sets, "sae, native", "sae"),
        )

    def _on_images(self, which: str) -> dict[str, Difference]:
        return image_scores.against([(scored.labels, getattr(scored, which)) for scored in self.images.values()])

    def _sentences(self, on_images: Mapping[str, Difference], with_few: Mapping[str, Difference]) -> dict[str, str]:
        said = transfer_said
        told, never = self._told(), [self.languages[name] for name in NEVER_TOLD]
        where = "abroad, mean over both sets and four languages"
        n_draws = len(self.images[IMAGE_SETS[0]].full[RANDOM])
        return {
            "viable": self._viable(TEXT_SETS),
            "never_told": self._viable(NEVER_TOLD),
            "hidden_native": said.compared(
                "Hidden states trained natively",
                "those trained on English",
                minus(told, "hidden, native", "hidden"),
                where,
            ),
            **{
                arm.replace(" ", "_"): said.compared(FIRST, name, minus(told, "sae", arm), where)
                for arm, name in OTHERS.items()
            },
            **{
                f"why_{name}_{features}": said.why(
                    _title(features, name),
                    [d for d in found.diagnosis if d.features == features],
                    found.chosen[features][0]["pooling"],
                )
                for name, found in self.languages.items()
                for features in DIAGNOSED
            },
            **{
                f"spread_{name}_{features}": said.spread(
                    _title(features, name),
                    [row for row in found.settings if row["features"] == features],
                    found.chosen[features][0],
                    found.tied[features],
                )
                for name, found in self.languages.items()
                for features in DIAGNOSED
            },
            "trees": said.compared(
                "Trees on SAE features", "those on hidden states", minus(told, "tree", "hidden, tree"), where
            ),
            "trees_never_told": said.compared(
                "Trees on SAE features",
                "those on hidden states",
                minus(never, "tree", "hidden, tree"),
                "abroad on the label never told",
            ),
            "tree_never_told": said.compared(
                "Trees on SAE features",
                "linear probes on them",
                minus(never, "tree", "sae"),
                "abroad on the label never told",
            ),
            "nearly_as_well": said.nearly_as_well(self.behaviour.minus_own, MARGIN),
            "signal": said.signal(self.behaviour.against, {**plots.NAMES, "majority": OTHERS["majority"]}),
            **self.behaviour.forecasts.sentences(),
            "images": said.images(*_three(on_images), "with all latents", n_draws),
            "images_few": said.images(*_three(with_few), f"with {FEW} latents or dimensions", n_draws),
            "off_text": said.off_text(
                {name: value for name, value in self.unexplained.items() if name != "texts"}, self.unexplained["texts"]
            ),
        }


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Transfer:
    """Three transfers of the profile's SAEs: to other languages, to another model's answers, to images.

    Every pooling of the profile for SAE features and hidden states alike. Sets are cut to its `max_train` and `max_test`.
    """
    profile, lm = opened(profile, device)
    languages = {name: score_languages(profile, lm, name, cache) for name in (*TEXT_SETS, *NEVER_TOLD)}
    texts = [text for found in languages.values() for text in found.test.texts]
    return Transfer(
        profile,
        languages,
        behaviour(profile, lm, device, cache),
        {name: score_images(profile, lm, name) for name in IMAGE_SETS},
        {
            **{name: image_unexplained(profile, lm, name) for name in DRAWN},
            "texts": text_unexplained(profile, lm, texts),
        },
    )


def _three(found: Mapping[str, Difference]) -> tuple[Difference, Difference, Difference]:
    return found[image_scores.HIDDEN], found[RANDOM], found[UNTRAINED]


def _title(features: str, name: str) -> str:
    """As a sentence begins: "Hidden states on toxicity"."""
    text = f"{plots.NAMES[features]} on {name}"
    return text[0].upper() + text[1:]

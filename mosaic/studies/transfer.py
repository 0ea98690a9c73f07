"""Does it transfer? English probes on other languages, a small model's view of a large one, text SAEs on images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.probing.scores import Difference
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import abroad, image_scores, transfer_said
from mosaic.studies.behaviour import MARGIN, Behaviour, behaviour
from mosaic.studies.diagnosis import REPAIRS
from mosaic.studies.image_problems import image_unexplained, text_unexplained
from mosaic.studies.image_scores import FEW, RANDOM, UNTRAINED, ImageScores, score_images
from mosaic.studies.languages import ARMS, DIAGNOSED, NATIVE, LanguageScores, score_languages
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.study import Study

TEXT_SETS = ("toxicity", "sentiment")
IMAGE_SETS = ("digits", "shapes", "places")
DRAWN = ("digits", "shapes")  # shown, and scored over the number of latents
PICTURES = 10
IN_FIGURE = ("sae", "tree", "hidden", "tfidf", "random dictionary")
# Names as figures and sentences have them.
FIRST = "SAE features (linear)"
NAMES = {
    "tree": "a tree on SAE features",
    "hidden": "hidden states",
    "tfidf": "TF-IDF",
    "majority": "the majority class",
    "random dictionary": "random dictionaries",
    "random language model": "an untrained language model's hidden states",
}
SHORT = {"sae": "SAE", "hidden": "hidden states"}
BOTH_TRAININGS = {
    "SAE, trained on English": "sae",
    "SAE, trained natively": "sae, native",
    "hidden states, trained on English": "hidden",
    "hidden states, trained natively": "hidden, native",
}


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

    @property
    def parts(self) -> list[str]:
        return list(next(iter(self.languages.values())).test.part_rows())

    def summary(self) -> dict:
        on_images, with_few = self._on_images("full"), self._on_images("few")
        return {
            "languages": {
                "sets": {name: found.summary() for name, found in self.languages.items()},
                "poolings": list(self.profile.poolings),
                **self._over_sets(self.parts[0]),
                "parts": {part: self._over_sets(part) for part in self.parts},
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
        panels = {
            name: {arm: _points(abroad.by_language(found.test, found.arms[arm])) for arm in IN_FIGURE}
            for name, found in self.languages.items()
        }
        return plots.finished(plots.panels(panels, "language of the test texts"))

    def native_figure(self):
        """Trained on English against trained on each language itself: means over the foreign languages."""
        rows = []
        for name, found in self.languages.items():
            for part in self.parts:
                for label, arm in BOTH_TRAININGS.items():
                    scored = abroad.mean([(found.test, found.arms[arm])], part)
                    row = {"macro_f1": scored.macro_f1, "low": scored.low, "high": scored.high}
                    rows.append({"set": f"{name}, {part}", "features": label, **row})
        return plots.finished(plots.intervals(rows, "macro-F1 abroad (test), 95 % interval"))

    def poolings_figure(self):
        """In English and abroad, by pooling, each at the layer that English validation chose for it; one panel a set."""
        panels = {}
        for name, found in self.languages.items():
            lines: dict[str, list[tuple]] = {}
            for d in found.diagnosis:
                lines.setdefault(f"{SHORT[d.features]}, in English", []).append((d.pooling, d.home, d.home, d.home))
                there = (d.as_is.macro_f1, d.as_is.low, d.as_is.high)
                lines.setdefault(f"{SHORT[d.features]}, abroad", []).append((d.pooling, *there))
            panels[name] = lines
        return plots.finished(plots.panels(panels, "pooling"))

    def behaviour_figure(self):
        """Whether the large model answers right: told from the small model's features, and from its own."""
        return plots.finished(plots.intervals(self.behaviour.rows))

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
                for kind, curve in self.images[name].curves.items()
            }
            for name in DRAWN
        }
        return plots.finished(plots.panels(panels, "latents kept"))

    def table(self) -> tables.Html:
        """Mean macro-F1 over the languages that are not English: features, what trained the probe, set and part."""
        cells = {
            f"{name}, {part}": (found, part)
            for name, found in self.languages.items()
            for part in found.test.part_rows()
        }
        rows = [
            {
                "features": features,
                "trained": trained,
                **{
                    title: abroad.mean([(found.test, found.arms[arm])], part).macro_f1
                    for title, (found, part) in cells.items()
                },
            }
            for arm, (features, trained) in ARMS.items()
        ]
        return tables.table(
            rows, {"features": "features", "trained": "trained on", **{title: title for title in cells}}
        )

    def diagnosis_table(self, name: str) -> tables.Html:
        """Why probes fall abroad, on one set: each pooling as it is, and after one repair at a time."""
        rows = [
            {
                "features": plots.NAMES[d.features],
                "pooling": d.pooling,
                "layer": d.layer,
                "home": d.home,
                "as_is": d.as_is.macro_f1,
                "share": d.share,
                "auroc": d.auroc,
                **{repair: d.repaired[repair].macro_f1 for repair in REPAIRS},
            }
            for d in self.languages[name].diagnosis
        ]
        first = {
            "features": "features",
            "pooling": "pooling",
            "layer": "layer",
            "home": "in English",
            "as_is": "abroad",
        }
        rest = {
            "share": "most frequent answer",
            "auroc": "AUROC",
            **{repair: f"mended: {repair}" for repair in REPAIRS},
        }
        return tables.table(rows, first | rest)

    def images_table(self) -> tables.Html:
        """Macro-F1 on images, all latents; means over the draws of random dictionaries."""
        kinds = list(self.images[IMAGE_SETS[0]].full)
        rows = [
            {"set": name, **{kind: image_scores.mean_of(scored.full[kind]) for kind in kinds}}
            for name, scored in self.images.items()
        ]
        return tables.table(rows, {"set": "set", **{kind: kind for kind in kinds}})

    def _minus(self, a: str, b: str, part: str | None = None) -> Difference:
        """One arm minus another, mean over the sets and foreign languages."""
        return abroad.difference([(f.test, f.arms[a], f.arms[b]) for f in self.languages.values()], part)

    def _above_chance(self, part: str | None = None) -> dict:
        found = self.languages.values()
        mean = abroad.mean([(f.test, f.arms["sae"]) for f in found], part)
        return abroad.above(mean, float(np.mean([f.chance for f in found])))

    def _over_sets(self, part: str) -> dict:
        """Over both sets, on one part. minus: linear SAE features minus each other arm trained on English."""
        return {
            "above_chance": self._above_chance(part),
            "native_minus_english": {
                family: self._minus(f"{family}, native", family, part).summary() for family in NATIVE
            },
            "minus": {arm: self._minus("sae", arm, part).summary() for arm in NAMES},
        }

    def _on_images(self, which: str) -> dict[str, Difference]:
        return image_scores.against([(scored.labels, getattr(scored, which)) for scored in self.images.values()])

    def _sentences(self, on_images: Mapping[str, Difference], with_few: Mapping[str, Difference]) -> dict[str, str]:
        said = transfer_said
        where = "abroad, mean over both sets and four languages"
        n_draws = len(self.images[IMAGE_SETS[0]].full[RANDOM])
        return {
            "viable": said.viable(self._above_chance(), self._minus("sae, native", "sae")),
            "hidden_native": said.compared(
                "Hidden states trained natively",
                "those trained on English",
                self._minus("hidden, native", "hidden"),
                where,
            ),
            **{
                arm.replace(" ", "_"): said.compared(FIRST, name, self._minus("sae", arm), where)
                for arm, name in NAMES.items()
            },
            **{
                f"why_{name}_{features}": said.why(
                    f"{plots.NAMES[features]} on {name}",
                    [d for d in found.diagnosis if d.features == features],
                    found.chosen[features][0]["pooling"],
                )
                for name, found in self.languages.items()
                for features in DIAGNOSED
            },
            **{
                f"spread_{name}": said.spread(found.settings, found.chosen["hidden"][0], "hidden")
                for name, found in self.languages.items()
            },
            "nearly_as_well": said.nearly_as_well(self.behaviour.minus_own, MARGIN),
            "signal": said.signal(self.behaviour.against, {**plots.NAMES, "majority": NAMES["majority"]}),
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
    languages = {name: score_languages(profile, lm, name, cache) for name in TEXT_SETS}
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


def _points(scored: Mapping[str, Mapping]) -> list[tuple]:
    """[(language, value, low, high)], for a curve."""
    return [(language, s["macro_f1"], s["low"], s["high"]) for language, s in scored.items()]


def _three(found: Mapping[str, Difference]) -> tuple[Difference, Difference, Difference]:
    return found[image_scores.HIDDEN], found[RANDOM], found[UNTRAINED]

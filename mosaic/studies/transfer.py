"""Does it transfer? English probes on other languages, a small model's view of a large one, text SAEs on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.features.request import Request
from mosaic.files import read_json
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison, scores
from mosaic.probing.problem import Problem, make_problem
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.image_problems import image_unexplained
from mosaic.studies.image_scores import FEW, ImageScores, score_images
from mosaic.studies.problems import CACHE, load_cut, opened
from mosaic.studies.study import Study
from mosaic.texts.labelled import concatenate
from mosaic.world.lexicon import LANGUAGES

HOME = "en"  # trained and tuned on
TEXT_SETS = ("toxicity", "sentiment")
IMAGE_SETS = ("digits", "shapes", "places")
DRAWN = ("digits", "shapes")  # shown, and scored over the number of latents
PICTURES = 10
LARGE = "mini-large-it"  # whose answers are the labels of behaviour


@dataclass(frozen=True)
class Transfer(Study):
    """Macro-F1 of probes away from what they, or their SAEs, were trained on.

    languages: {set: {features: {"setting": its row, "by_language": {language: score}}}}. n_classes: of toxicity.
    behaviour: as recorded. images: by set. unexplained: {set, or "texts": fraction of variance unexplained}.
    """

    name: ClassVar[str] = "transfer"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    languages: dict[str, dict[str, dict]]
    n_classes: int
    behaviour: dict
    images: dict[str, ImageScores]
    unexplained: dict[str, float]

    def summary(self) -> dict:
        abroad = self._abroad()
        sae, majority = abroad["toxicity"]["sae"], abroad["toxicity"]["majority"]
        return {
            "languages": {
                **{name: {"mean": abroad[name], "families": found} for name, found in self.languages.items()},
                "above_majority": sae - majority,
                "above_chance": above_chance(sae, majority, self.n_classes),
            },
            "behaviour": self.behaviour,
            "images": {name: scored.full for name, scored in self.images.items()},
            "images_unexplained": self.unexplained,
            "images_few": {"k": FEW, **{name: scored.few for name, scored in self.images.items()}},
        }

    def figure(self):
        """Test scores by language, one panel a set; every probe is trained on English."""
        panels = {
            name: {family: _points(entry["by_language"].items()) for family, entry in found.items()}
            for name, found in self.languages.items()
        }
        return plots.finished(plots.panels(panels, "language of the test texts"))

    def behaviour_figure(self):
        """Whether the large model answers right: told from the small model's features, and from its own."""
        return plots.finished(plots.intervals(self.behaviour["rows"]))

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
        """Test scores on images over the number of latents kept, one panel a set."""
        panels = {
            name: {kind: _points((p["k"], p) for p in curve) for kind, curve in self.images[name].curves.items()}
            for name in DRAWN
        }
        return plots.finished(plots.panels(panels, "latents kept"))

    def table(self) -> tables.Html:
        """Mean macro-F1 over the languages not trained on, set by set."""
        rows = [
            {"features": plots.NAMES[family], **{name: means[family] for name, means in self._abroad().items()}}
            for family in self.languages[TEXT_SETS[0]]
        ]
        return tables.table(rows, {"features": "features", **{name: name for name in TEXT_SETS}})

    def images_table(self) -> tables.Html:
        """Macro-F1 on images, all latents."""
        kinds = [kind for kind in self.images[IMAGE_SETS[0]].full if kind != "against"]
        rows = [
            {"set": name, **{kind: scored.full[kind]["macro_f1"] for kind in kinds}}
            for name, scored in self.images.items()
        ]
        return tables.table(rows, {"set": "set", **{kind: kind for kind in kinds}})

    def _abroad(self) -> dict[str, dict[str, float]]:
        return {
            name: {family: mean_abroad(entry["by_language"]) for family, entry in found.items()}
            for name, found in self.languages.items()
        }


def run(
    profile: str | Profile,
    *,
    poolings: Sequence[str] = ("sum", "mean", "max"),
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Transfer:
    """Three transfers of the profile's SAEs: to other languages, to another model's answers, to images.

    Sets are cut to the profile's `max_train` and `max_test`.
    """
    profile, lm = opened(profile, device)
    request = Request(load_saes(profile, lm), tuple(profile.layers), tuple(poolings))
    languages, n_classes = {}, {}
    for name in TEXT_SETS:
        train, _ = load_cut(profile, f"mini/{name}", HOME)
        tests = [load_cut(profile, f"mini/{name}", language)[1] for language in LANGUAGES]
        n_classes[name] = len(train.classes)
        languages[name] = by_language(make_problem(train, concatenate(tests), lm, request, cache))
    return Transfer(
        profile,
        languages,
        n_classes["toxicity"],
        _behaviour(profile, lm, request, device, cache),
        {name: score_images(profile, lm, name) for name in IMAGE_SETS},
        {**{name: image_unexplained(profile, lm, name) for name in DRAWN}, "texts": _unexplained_in_texts(profile)},
    )


def by_language(
    problem: Problem, families: Sequence[str] = comparison.FAMILIES, trees: bool = True
) -> dict[str, dict[str, dict]]:
    """{features: {"setting": the row validation chose, "by_language": {language: score of its test texts}}}.

    "tree" (trees): the shallow tree on SAE features with the best validation score.
    """
    found = comparison.evaluate(problem, families=families, trees=trees)
    chosen = {family: comparison.selected(found, family) for family in families}
    if trees:
        chosen["tree"] = next(r for r in found if (r.setting.features, r.setting.classifier) == ("sae", "tree"))
    spoken, truth = problem.test.languages, problem.test.labels
    return {
        family: {
            "setting": result.row(),
            "by_language": {
                language: scores.score(truth[spoken == language], result.predicted[spoken == language]).as_dict()
                for language in dict.fromkeys(spoken)
            },
        }
        for family, result in chosen.items()
    }


def _behaviour(profile: Profile, small: LanguageModel, request: Request, device: str, cache: Path | None) -> dict:
    """Whether LARGE answers a question right, told from the small model's features and from its own."""
    train, test = load_cut(profile, "mini/behaviour", HOME)
    found = comparison.evaluate(make_problem(train, test, small, request, cache))
    best = {family: comparison.selected(found, family) for family in comparison.FAMILIES}
    other, large = opened(LARGE, device)
    own_request = Request(load_saes(other, large), tuple(other.layers), request.poolings)
    own_found = comparison.evaluate(make_problem(train, test, large, own_request, cache), families=("sae", "hidden"))
    own = {family: comparison.selected(own_found, family) for family in ("sae", "hidden")}

    def sae_minus(other) -> dict:
        return scores.compare(test.labels, best["sae"].predicted, other.predicted, test.groups).summary()

    against_own = sae_minus(own["sae"])
    return {
        **{family: result.score.macro_f1 for family, result in best.items()},
        "own": own["sae"].score.macro_f1,
        "own_hidden": own["hidden"].score.macro_f1,
        "against": {family: sae_minus(result) for family, result in best.items() if family != "sae"},
        "difference": against_own["difference"],
        "interval": against_own["interval"],
        "correct": float(np.mean(test.labels == "correct")),
        "rows": [
            *({"set": "mini-small's view", **result.row()} for result in best.values()),
            *({"set": f"{LARGE}'s own", **result.row()} for result in own.values()),
        ],
    }


def _unexplained_in_texts(profile: Profile) -> float:
    """What the middle layer's SAE leaves unexplained of texts, as its card has it."""
    from mosaic.miniature.build import WEIGHTS

    card = read_json(WEIGHTS / "card.json")
    return card[f"saes-small/layer_{profile.middle}_width_{profile.width}_seed_0"]["fvu"]


def _points(scored) -> list[tuple]:
    """[(x, value, low, high)] of (x, score) pairs, for a curve."""
    return [(x, s["macro_f1"], s["low"], s["high"]) for x, s in scored]


# --- what decides ------------------------------------------------------------------------------------------------


def mean_abroad(scored: Mapping[str, Mapping[str, float]], home: str = HOME) -> float:
    """Mean macro-F1 over the languages not trained on. scored: {language: score}."""
    return float(np.mean([score["macro_f1"] for language, score in scored.items() if language != home]))


def above_chance(score: float, majority: float, n_classes: int) -> float:
    """How far a score lies above knowing nothing: above the majority class, and above a toss among n classes.

    Two classes, tossed for, give a macro-F1 of one half, which a bag of unknown words reaches too.
    """
    return score - max(majority, 1 / n_classes)

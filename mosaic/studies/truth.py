"""Which latents find which factor? Every SAE's latents against factors that are known because the corpus was drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic import numerals
from mosaic.interpretation import tracking
from mosaic.interpretation.tracking import ALL, Found
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import searches
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.searches import FOUND, Area, Share
from mosaic.studies.study import Study

LEAST = 15  # texts with a factor, of the half that scores, from which the map of languages shows its AUROC
SHOWN = 24  # factors in the map of languages
CALIBRATION = 40  # every so many texts, one sets the random dictionaries' sparsity
TOXICITY = "message: toxicity toxic"  # the composition the chapter follows
SUITES = 5  # of random dictionaries
TRAINED, RANDOM, UNTRAINED = "trained SAEs", "random dictionaries", "untrained model"
DRAWN_AS = {TRAINED: "sae", RANDOM: "random dictionary", UNTRAINED: "random language model"}


@dataclass(frozen=True)
class Truth(Study):
    """AUROC_jc = P(z_j(with c) > z_j(without c)) + P(equal) / 2, of the latent j that finds factor c best.

    found: {TRAINED, RANDOM, UNTRAINED: its suites}; a suite has one `Found` for each dictionary, factor and language
    ("all": over all of them), the latent chosen on one half of the texts and scored on the other. The trained SAEs are one
    suite. A suite of RANDOM has as many dictionaries as there are SAEs, each of an SAE's layer, width and sparsity, and there
    are several; UNTRAINED has one such on a model of random weights; both over all languages only.
    """

    name: ClassVar[str] = "truth"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    found: dict[str, tuple[tuple[Found, ...], ...]]
    n_texts: int

    def summary(self) -> dict:
        latents, missed, shares = self._latents_by_language(), self.missed, self._shares()
        return {
            "width": self.profile.width,
            "n_texts": self.n_texts,
            "n_saes": len({(f.layer, f.width) for f in self.learned}),
            "least": LEAST,
            "n_suites": len(self.found[RANDOM]),
            "n_factors": len(self.factors),
            "n_found": len(self.factors) - len(missed),
            "missed": missed,
            "chosen": [f.row() for f in self.chosen().values()],
            "found": [f.row() for f in self.learned if f.language == ALL],
            "toxicity": {kind: self._toxicity(kind) for kind in self.found},
            "same_latent": f"{len(searches.same_everywhere(latents))} of {len(latents)}",
            "same_as_english": f"{len(searches.same_elsewhere(latents))} of {len(latents)}",
            "widths": {width: s.row() for width, s in self._widths().items()},
            "controls": {kind: s.row() for kind, s in shares.items()},
            "over_control": {kind: searches.difference(shares[TRAINED], shares[kind]) for kind in (RANDOM, UNTRAINED)},
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        shares, widths = self._shares(), self._widths()
        toxicity, random = self._toxicity_by_layer(TRAINED), self._toxicity_by_layer(RANDOM)
        first, middle = self.profile.layers[0], self.profile.middle
        change = searches.area_difference(toxicity[middle], toxicity[first])
        n_found = len(self.factors) - len(self.missed)
        return {
            "found": searches.found_sentence(n_found, len(self.factors), shares[TRAINED]),
            "missed": searches.missed_sentence(self.missed),
            "by_interval": searches.interval_sentence(searches.by_interval(self.chosen().values())),
            "toxicity": searches.change_sentence("toxicity", f"layer {first}", f"layer {middle}", change),
            "toxicity_gain": searches.gain_sentence(
                f"layer {first}",
                f"layer {middle}",
                (toxicity[first], toxicity[middle]),
                (random[first], random[middle]),
            ),
            "toxicity_random": searches.layers_sentence("toxicity", toxicity, random),
            "toxicity_chosen": searches.area_sentence(
                "With every layer and width searched for toxicity,",
                self._toxicity_chosen(TRAINED),
                self._toxicity_chosen(RANDOM),
            ),
            "random": searches.against_sentence("as many random dictionaries", shares[TRAINED], shares[RANDOM]),
            "untrained": searches.against_sentence(
                "as many random dictionaries on an untrained model", shares[TRAINED], shares[UNTRAINED]
            ),
            "width": searches.width_sentence(next(iter(widths)), list(widths)[-1], widths),
        }

    def figure(self):
        """The map: the best latent's AUROC by factor and layer, at the profile's width, over all languages."""
        areas = {(f.factor, f.layer): f.auroc for f in self._at_width(self.learned)}
        grid = np.array([[areas[name, layer] for layer in self.profile.layers] for name in self.factors])
        layers = [f"layer {layer}" for layer in self.profile.layers]
        return plots.finished(plots.heatmap(grid, self.factors, layers, "AUROC of the best latent", tall=True))

    def toxicity_figure(self):
        """AUROC of the best latent for toxicity by layer, at the profile's width; bands are 95 % over texts and suites."""
        lines = {
            DRAWN_AS[kind]: [(layer, a.auroc, a.low, a.high) for layer, a in self._toxicity_by_layer(kind).items()]
            for kind in self.found
        }
        return plots.finished(plots.curves(lines, "layer", "AUROC of the best latent for toxicity"))

    def languages_figure(self):
        """The same by language, at the middle layer: factors that every language has; blank where fewer than LEAST texts have one."""
        areas = {(f.factor, f.language): _enough(f) for f in self._middle()}
        shared, languages = self.shared_factors, self.languages
        grid = np.array([[areas[name, language] for language in languages] for name in shared])
        return plots.finished(plots.heatmap(grid, shared, languages, "AUROC of the best latent", tall=True))

    def table(self) -> tables.Html:
        """The factors that are not found, with the latent chosen for each; the hardest first."""
        rows = [
            {
                **f.row(),
                "latent": f"layer {f.layer}, {f.width}, {f.latent}",
                "auroc": numerals.shown(f.auroc, places=3),
                "interval": f"{numerals.shown(f.low, places=3)} to {numerals.shown(f.high, places=3)}",
                "told": "wholly below" if f.high < FOUND else "undecided",
            }
            for f in sorted((f for f in self.chosen().values() if f.auroc < FOUND), key=lambda f: f.auroc)
        ]
        columns = {
            "factor": "factor",
            "latent": "chosen latent",
            "auroc": "AUROC",
            "interval": "95 %",
            "told": f"beside {FOUND}",
        }
        more = {"average_precision": "average precision", "share": "share of texts"}
        return tables.table(rows, {**columns, **more})

    def widths_table(self) -> tables.Html:
        """How many factors the middle layer's dictionaries find, by width."""
        return _shares_table({"width": "width"}, self._widths())

    def controls_table(self) -> tables.Html:
        """The trained SAEs beside as many random dictionaries, on the trained and on an untrained model."""
        return _shares_table({"features": "features"}, self._shares())

    @property
    def learned(self) -> tuple[Found, ...]:
        """The one suite of trained SAEs."""
        (suite,) = self.found[TRAINED]
        return suite

    @property
    def factors(self) -> list[str]:
        """By the AUROC of the latent chosen for them."""
        return list(self.chosen())

    @property
    def missed(self) -> dict[str, float]:
        """{factor that is not found: AUROC of the latent chosen for it}, the best first."""
        return {name: f.auroc for name, f in self.chosen().items() if f.auroc < FOUND}

    @property
    def languages(self) -> list[str]:
        return [language for language in dict.fromkeys(f.language for f in self.learned) if language != ALL]

    @property
    def shared_factors(self) -> list[str]:
        """The first SHOWN factors that can be told in every language."""
        there = {(f.factor, f.language) for f in self._middle()}
        every = [name for name in self.factors if all((name, language) in there for language in self.languages)]
        return every[:SHOWN]

    def chosen(self, suite: Iterable[Found] | None = None) -> dict[str, Found]:
        """{factor: the latent, of whichever layer and width of the suite (None: the trained SAEs), that is best on the
        half of the texts that chooses}."""
        return searches.chosen(f for f in (self.learned if suite is None else suite) if f.language == ALL)

    def _at_width(self, suite: Iterable[Found]) -> list[Found]:
        return [f for f in suite if (f.language, f.width) == (ALL, self.profile.width)]

    def _middle(self) -> list[Found]:
        return [f for f in self.learned if (f.layer, f.width) == (self.profile.middle, self.profile.width)]

    def _latents_by_language(self) -> dict[str, dict[str, int]]:
        latents = {(f.factor, f.language): f.latent for f in self._middle()}
        return {name: {x: latents[name, x] for x in self.languages} for name in self.shared_factors}

    def _toxicity_by_layer(self, kind: str) -> dict[int, Area]:
        toxic = [f for suite in self.found[kind] for f in self._at_width(suite) if f.factor == TOXICITY]
        return {layer: searches.area([f for f in toxic if f.layer == layer]) for layer in self.profile.layers}

    def _toxicity(self, kind: str) -> dict[str, dict]:
        """{"first", "middle", "late": at that layer; "chosen": of the dictionaries that the choosing half prefers}."""
        by_layer = self._toxicity_by_layer(kind)
        layers = {"first": self.profile.layers[0], "middle": self.profile.middle, "late": self.profile.layers[-1]}
        chosen = self._toxicity_chosen(kind).row()
        return {**{name: by_layer[layer].row() for name, layer in layers.items()}, "chosen": chosen}

    def _toxicity_chosen(self, kind: str) -> Area:
        return searches.area([self.chosen(suite)[TOXICITY] for suite in self.found[kind]])

    def _shares(self) -> dict[str, Share]:
        return {
            kind: searches.share([self.chosen(suite).values() for suite in suites])
            for kind, suites in self.found.items()
        }

    def _widths(self) -> dict[str, Share]:
        middle = [f for f in self.learned if (f.language, f.layer) == (ALL, self.profile.middle)]
        by_width = {width: [f for f in middle if f.width == width] for width in self.profile.widths}
        return {width: searches.share([found]) for width, found in by_width.items() if found}


def _enough(found: Found) -> float:
    """Its AUROC; NaN where too few texts have the factor for one."""
    return found.auroc if found.n_with is None or found.n_with >= LEAST else np.nan


def _shares_table(first: dict[str, str], shares: dict[str, Share]) -> tables.Html:
    (key,) = first
    rows = [
        {
            key: name,
            **s.row(),
            "interval": numerals.interval(s.low, s.high),
            "auroc_interval": numerals.interval(s.auroc_low, s.auroc_high),
        }
        for name, s in shares.items()
    ]
    figures = {"found": "share of factors found", "interval": "95 %", "auroc": "mean AUROC", "auroc_interval": "95 % "}
    return tables.table(rows, {**first, **figures})


def run(
    profile: str | Profile, *, n_texts: int = tracking.TEXTS, device: str = "cpu", cache: Path | None = CACHE
) -> Truth:
    """Search every SAE of the profile for the factors of the miniature's texts, and as many that learned nothing.

    n_texts: of each kind and language.
    """
    from mosaic.models.opening import open_model

    profile, lm = opened(profile, device)
    rows, factors = tracking.texts(n_texts)
    untrained = open_model(replace(profile.model, random_weights=0), lm.device)
    encoders = load_saes(profile, lm)
    found = {
        TRAINED: _search(lm, [encoders], rows, factors, cache, by_language=True),
        RANDOM: _search(lm, _random(lm, encoders, rows, SUITES), rows, factors, cache),
        UNTRAINED: _search(untrained, _random(untrained, encoders, rows, 1), rows, factors, cache),
    }
    return Truth(profile, found, len(rows))


def _search(lm: LanguageModel, suites, rows, factors, cache: Path | None, by_language: bool = False) -> tuple:
    """One tuple of what was found a suite of encoders; one pass over the texts for all of them."""
    pooled = iter(tracking.tables(rows, lm, [encoder for suite in suites for encoder in suite], cache))
    return tuple(
        tuple(f for _ in suite for f in tracking.find(next(pooled), rows, factors, by_language)) for suite in suites
    )


def _random(lm: LanguageModel, encoders, rows, n: int) -> list[list]:
    """n suites with a random dictionary for each SAE: its layer and width, and its sparsity on this model's residuals."""
    from mosaic.models.residuals import text_by_text
    from mosaic.saes.loading import random_like

    texts = [row.text for row in rows[::CALIBRATION]]
    residuals = {layer: text_by_text(lm, texts, layer) for layer in dict.fromkeys(e.layer for e in encoders)}
    return [
        [random_like(e, residuals[e.layer], seed=suite * len(encoders) + i) for i, e in enumerate(encoders)]
        for suite in range(n)
    ]

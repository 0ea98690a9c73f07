"""Which latents find which factor? Every SAE's latents against factors that are known because the corpus was drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.interpretation import tracking
from mosaic.interpretation.tracking import Found
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.study import Study

FOUND = 0.9  # a factor counts as found from this AUROC on
SHOWN = 24  # factors in the map of languages
CALIBRATION = 40  # every so many texts, one sets the random dictionary's sparsity
TOXICITY = "message: toxicity toxic"  # the composition the chapter follows
ALL, ENGLISH = "all", "en"


@dataclass(frozen=True)
class Truth(Study):
    """AUROC_jc = P(z_j(with c) > z_j(without c)) + P(equal) / 2, of the latent j that finds factor c best.

    found: one for each SAE, factor and language ("all": over all of them), chosen on one half of the texts and
    scored on the other. controls: {what stands in the SAE's place: {factor: AUROC}} at the middle layer.
    """

    name: ClassVar[str] = "truth"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    found: tuple[Found, ...]
    controls: dict[str, dict[str, float]]
    n_texts: int

    def summary(self) -> dict:
        overall, order = self._overall(), self.factors
        anywhere = best(f for f in self.found if f.language == ALL)
        missed = {name: anywhere[name].auroc for name in order if anywhere[name].auroc < FOUND}
        toxicity = {f.layer: f.auroc for f in overall if f.factor == TOXICITY}
        latents = self._latents_by_language()
        return {
            "width": self.profile.width,
            "n_texts": self.n_texts,
            "n_factors": len(order),
            "n_found": len(order) - len(missed),
            "missed": missed,
            "missed_names": ", ".join(missed) or "none",
            "found": [asdict(f) for f in self.found if f.language == ALL],
            "toxicity": {
                "first": toxicity[self.profile.layers[0]],
                "middle": toxicity[self.profile.middle],
                "late": toxicity[self.profile.layers[-1]],
                "untrained": self.controls["untrained language model"][TOXICITY],
                "random_dictionary": self.controls["random dictionary"][TOXICITY],
            },
            "same_latent": f"{len(same_everywhere(latents))} of {len(latents)}",
            "same_as_english": f"{len(same_elsewhere(latents))} of {len(latents)}",
            "widths": self._widths(),
            "controls": {name: found_and_mean(areas) for name, areas in self._with_trained().items()},
        }

    def figure(self):
        """The map: the best latent's AUROC by factor and layer, at the profile's width, over all languages."""
        areas = {(f.factor, f.layer): f.auroc for f in self._overall()}
        grid = np.array([[areas[name, layer] for layer in self.profile.layers] for name in self.factors])
        layers = [f"layer {layer}" for layer in self.profile.layers]
        return plots.finished(plots.heatmap(grid, self.factors, layers, "AUROC of the best latent", tall=True))

    def languages_figure(self):
        """The same by language, at the middle layer: factors that every language has."""
        areas = {(f.factor, f.language): f.auroc for f in self._middle()}
        shared, languages = self.shared_factors, self.languages
        grid = np.array([[areas[name, language] for language in languages] for name in shared])
        return plots.finished(plots.heatmap(grid, shared, languages, "AUROC of the best latent", tall=True))

    def table(self) -> tables.Html:
        """The factors that no latent of any layer and width finds, with the best there is; the hardest first."""
        anywhere = best(f for f in self.found if f.language == ALL)
        missed = [anywhere[name] for name in self.factors if anywhere[name].auroc < FOUND]
        rows = [
            {**asdict(f), "latent": f"layer {f.layer}, {f.width}, {f.latent}"}
            for f in sorted(missed, key=lambda f: f.auroc)
        ]
        return tables.table(
            rows,
            {
                "factor": "factor",
                "latent": "best latent",
                "auroc": "AUROC",
                "average_precision": "average precision",
                "share": "share of texts",
            },
        )

    def widths_table(self) -> tables.Html:
        """How many factors the middle layer's dictionaries find, by width."""
        rows = [{"width": width, **figures} for width, figures in self._widths().items()]
        return tables.table(rows, {"width": "width", "found": "share of factors found", "auroc": "mean AUROC"})

    def controls_table(self) -> tables.Html:
        """The trained SAE beside a random dictionary and a random model."""
        rows = [
            {"features": name, **found_and_mean(areas), "toxicity": areas[TOXICITY]}
            for name, areas in self._with_trained().items()
        ]
        return tables.table(
            rows,
            {
                "features": "features",
                "found": "share of factors found",
                "auroc": "mean AUROC",
                "toxicity": "toxicity",
            },
        )

    @property
    def factors(self) -> list[str]:
        """By the best AUROC they reach at any layer, at the profile's width."""
        return list(best(self._overall()))

    @property
    def languages(self) -> list[str]:
        return [language for language in dict.fromkeys(f.language for f in self.found) if language != ALL]

    @property
    def shared_factors(self) -> list[str]:
        """The first SHOWN factors that can be told in every language."""
        there = {(f.factor, f.language) for f in self._middle()}
        every = [name for name in self.factors if all((name, language) in there for language in self.languages)]
        return every[:SHOWN]

    def _overall(self) -> list[Found]:
        return [f for f in self.found if (f.language, f.width) == (ALL, self.profile.width)]

    def _middle(self) -> list[Found]:
        return [f for f in self.found if (f.layer, f.width) == (self.profile.middle, self.profile.width)]

    def _latents_by_language(self) -> dict[str, dict[str, int]]:
        latents = {(f.factor, f.language): f.latent for f in self._middle()}
        return {name: {x: latents[name, x] for x in self.languages} for name in self.shared_factors}

    def _with_trained(self) -> dict[str, dict[str, float]]:
        return {"trained SAE": {f.factor: f.auroc for f in self._middle() if f.language == ALL}, **self.controls}

    def _widths(self) -> dict[str, dict[str, float]]:
        middle = [f for f in self.found if (f.language, f.layer) == (ALL, self.profile.middle)]
        return {
            width: found_and_mean({f.factor: f.auroc for f in middle if f.width == width})
            for width in self.profile.widths
            if any(f.width == width for f in middle)
        }


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Truth:
    """Search every SAE of the profile for the factors of the miniature's texts, and two dictionaries that learned nothing."""
    profile, lm = opened(profile, device)
    rows, factors = tracking.texts()
    pooled = tracking.tables(rows, lm, load_saes(profile, lm), cache)
    found = [f for table in pooled for f in tracking.find(table, rows, factors)]
    return Truth(profile, tuple(found), _controls(profile, lm, rows, factors, cache), len(rows))


def _controls(profile: Profile, lm: LanguageModel, rows, factors, cache: Path | None) -> dict[str, dict[str, float]]:
    """{control: {factor: AUROC}}: dictionaries of the middle SAE's width and sparsity whose directions are random."""
    from mosaic.models.opening import open_model
    from mosaic.models.residuals import text_by_text
    from mosaic.saes.loading import random_like

    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    texts = [row.text for row in rows[::CALIBRATION]]
    untrained = open_model(replace(profile.model, random_weights=0), lm.device)
    found = {}
    for name, model in (("random dictionary", lm), ("untrained language model", untrained)):
        dictionary = random_like(encoder, text_by_text(model, texts, profile.middle))
        (table,) = tracking.tables(rows, model, [dictionary], cache)
        found[name] = {f.factor: f.auroc for f in tracking.find(table, rows, factors, by_language=False)}
    return found


# --- what decides ------------------------------------------------------------------------------------------------


def best(found: Iterable[Found]) -> dict[str, Found]:
    """{factor: the latent of highest AUROC}, of equal ones the first; the factors by falling AUROC, then by name."""
    top: dict[str, Found] = {}
    for f in found:
        if f.factor not in top or f.auroc > top[f.factor].auroc:
            top[f.factor] = f
    return dict(sorted(top.items(), key=lambda item: (-item[1].auroc, item[0])))


def found_and_mean(areas: Mapping[str, float]) -> dict[str, float]:
    """{"found": share of factors whose AUROC is at least FOUND, "auroc": their mean}. areas: {factor: AUROC}."""
    values = list(areas.values())
    return {"found": float(np.mean([value >= FOUND for value in values])), "auroc": float(np.mean(values))}


def same_everywhere(latents: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Factors whose best latent is one and the same in every language. latents: {factor: {language: latent}}."""
    return [name for name, by_language in latents.items() if len(set(by_language.values())) == 1]


def same_elsewhere(latents: Mapping[str, Mapping[str, int]], home: str = ENGLISH) -> list[str]:
    """Factors whose best latent in `home` is also the best in at least one other language."""

    def others(by_language: Mapping[str, int]) -> Collection[int]:
        return {latent for language, latent in by_language.items() if language != home}

    return [name for name, by_language in latents.items() if by_language[home] in others(by_language)]

"""Probes on latents of SAEs of the three losses: the same probe, chosen in the same way, one loss's features in another's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.features.request import Request
from mosaic.probing import scores
from mosaic.probing.comparison import evaluate
from mosaic.probing.problem import make_problem
from mosaic.probing.selection import Result
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import Profile
from mosaic.saes.loading import load_encoder
from mosaic.saes.recipe import width_name
from mosaic.saes.source import SAESource
from mosaic.studies.problems import load_cut, sets_here
from mosaic.texts.labelled import LabelledTexts

POOLING = "mean"


@dataclass(frozen=True)
class SetOfLosses:
    """What linear probes on one set reached. results: {loss: the probe that validation chose}."""

    title: str
    test: LabelledTexts
    results: Mapping[str, Result]

    @property
    def scores(self) -> dict[str, float]:
        """{loss: macro-F1 on the first part of the test set}."""
        return {loss: result.score.macro_f1 for loss, result in self.results.items()}

    def paired(self, first: str, second: str) -> tuple:
        """(labels, predictions of either, groups), as `scores.compare_mean` reads them."""
        return scores.paired(self.test, self.results[first], self.results[second])


def probed(
    profile: Profile, folder: Path, rows: Mapping[str, Mapping], n_sets: int, device: str, cache: Path | None
) -> tuple[SetOfLosses, ...]:
    """Mean-pooled latents of one SAE a loss, a linear probe on each, on the first n_sets sets. rows: {loss: its SAE's row}."""
    lm = load_model(profile, device)
    encoders = []
    for number, row in enumerate(rows.values()):
        # Their seed is part of the features' name, which must tell the losses apart.
        source = SAESource(row["layer"], width_name(row["width"]), path=str(folder / row["name"]), seed=number)
        encoders.append(load_encoder(source, profile.model.id, lm.d_model, device, lm.spec.first_layer))
    request = Request(tuple(encoders), (), (POOLING,))
    found = []
    for choice in sets_here(profile)[:n_sets]:
        train, test = load_cut(profile, choice.name, choice.language)
        problem = make_problem(train, test, lm, request, cache)
        results = {
            loss: evaluate(replace(problem, tables=(table,)), families=["sae"], binarize=False, trees=False)[0]
            for loss, table in zip(rows, problem.tables, strict=True)
        }
        found.append(SetOfLosses(choice.title, test, results))
    return tuple(found)

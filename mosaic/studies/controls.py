"""What has learned nothing, given the same budget: random dictionaries, and the language model with random weights.

Equal budget: one layer, one width, every pooling; pooling and strength are chosen on validation and nothing is binarised.
Linear probes are one comparison, linear probes and a tree on the best pooling another. Where the profile has SAEs of
several seeds at that layer and width, all of them are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison
from mosaic.probing.problem import Problem, make_problem
from mosaic.probing.selection import Result
from mosaic.profiles.opening import available, load_partly_trained, load_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.studies.problems import CACHE, load_cut

N_DICTIONARIES = 5
CALIBRATION_TEXTS = 64
TRAINED, RANDOM = "trained SAE", "random dictionary"
HIDDEN, UNTRAINED = "hidden states", "random language model"
FROZEN, OF_UNTRAINED = "SAE with a frozen decoder", "SAE of an untrained model"


@dataclass(frozen=True)
class Controls:
    """The encoders and models of a profile's controls, the same for every set: a draw is one dictionary, wherever it reads.

    layer, width: of the SAE that the random dictionaries imitate. poolings: what each of them is given.
    """

    profile: Profile
    lm: LanguageModel
    layer: int
    width: str
    poolings: tuple[str, ...]
    n: int = N_DICTIONARIES

    @cached_property
    def trained(self) -> tuple[Encoder, ...]:
        """The profile's SAEs of this layer and width, all seeds."""
        return load_saes(self.profile, self.lm, [self.layer], [self.width], seeds=None)

    @cached_property
    def random(self) -> tuple[Encoder, ...]:
        """n random dictionaries of the first SAE's width, row norms and mean number of active latents."""
        return random_dictionaries(self.trained[0], self.lm, calibration_texts(self.profile), self.n)

    @cached_property
    def frozen(self) -> tuple[Encoder, ...]:
        """The profile's SAE whose decoder stayed as it was drawn, if it has one."""
        return load_partly_trained(self.profile, self.lm, "frozen decoder")

    @cached_property
    def of_untrained(self) -> tuple[Encoder, ...]:
        """The profile's SAE that learned the untrained model's residual stream, if it has one; read there alone."""
        return load_partly_trained(self.profile, self.lm, "untrained model")

    @cached_property
    def untrained(self) -> LanguageModel:
        return untrained(self.profile, self.lm.device)

    def dictionaries(self) -> dict[str, tuple[Encoder, ...]]:
        """{what: its encoders} of all that read the language model itself, and are there."""
        found = {TRAINED: self.trained, RANDOM: self.random, FROZEN: self.frozen}
        return {what: encoders for what, encoders in found.items() if encoders}

    def sparsity(self) -> dict[str, list[float]]:
        """{what: mean active latents per token of each SAE and each random dictionary}, on the calibration texts."""
        found = {what: (self.lm, encoders) for what, encoders in self.dictionaries().items()}
        if self.of_untrained:
            found[OF_UNTRAINED] = (self.untrained, self.of_untrained)
        return {what: self._active(*of) for what, of in found.items()}

    def _active(self, lm: LanguageModel, encoders: Sequence[Encoder]) -> list[float]:
        from mosaic.models.residuals import text_by_text

        x = text_by_text(lm, calibration_texts(self.profile), self.layer)
        return [encoder.encode(x).nnz / len(x) for encoder in encoders]

    def results(self, problem: Problem, cache: Path | None = CACHE) -> dict[str, list[list[Result]]]:
        """{what: the results of each draw, best validation first} on one set; one pass for all dictionaries."""
        texts = problem.train, problem.test
        read = Request(self.trained + self.random, (self.layer,), self.poolings)
        unlearned = make_problem(*texts, self.untrained, Request((), (self.layer,), self.poolings), cache)
        tables, n = make_problem(*texts, self.lm, read, cache).tables, len(self.poolings)
        draws = [replace(unlearned, tables=tables[i : i + n]) for i in range(0, len(tables), n)]
        of = {TRAINED: draws[: len(self.trained)], RANDOM: draws[len(self.trained) : -1], HIDDEN: draws[-1:]}
        return {what: [fitted(draw) for draw in found] for what, found in (of | {UNTRAINED: [unlearned]}).items()}


def fitted(problem: Problem) -> list[Result]:
    """Linear probes on every pooling of one encoder or one layer, and a tree on the best of them; best validation first."""
    family = problem.tables[0].provenance["features"]
    return comparison.evaluate(problem, families=[family], binarize=False)


def best_linear(results: Iterable[Result], features: str | None = None) -> Result:
    """The first linear result (of a family, where one is named); `evaluate` gives the best validation first."""
    return next(r for r in results if r.setting.classifier == "logistic" and features in (None, r.setting.features))


def random_dictionaries(
    encoder: Encoder, lm: LanguageModel, texts: Sequence[str], n: int = N_DICTIONARIES
) -> tuple[Encoder, ...]:
    """n random dictionaries of the encoder's width, row norms and, on these texts, mean number of active latents."""
    from mosaic.models.residuals import text_by_text
    from mosaic.saes.loading import random_like

    x = text_by_text(lm, texts, encoder.layer)
    return tuple(random_like(encoder, x, seed) for seed in range(n))


def untrained(profile: Profile, device: str = "cpu") -> LanguageModel:
    """The profile's language model with random weights: its architecture and its tokens, nothing learned."""
    from mosaic.models.opening import open_model

    return open_model(replace(profile.model, random_weights=0), device)


def calibration_texts(profile: Profile, n: int = CALIBRATION_TEXTS) -> list[str]:
    """n training texts, taken from the profile's sets in turn: sparsity is set once, not set by set."""
    columns = [load_cut(profile, choice.name, choice.language)[0].texts for choice in available(profile)]
    in_turn = chain.from_iterable(zip_longest(*(texts[:n] for texts in columns)))
    return [text for text in in_turn if text is not None][:n]


def rows(title: str, found: Mapping[str, Sequence[Result]]) -> list[dict]:
    """One row a control and set: its draws' mean and range on every part, and the poolings that validation chose.

    found: {what: the chosen result of each draw}.
    """
    return [
        {
            "set": title,
            "control": what,
            "n_draws": len(results),
            "parts": {part: spread([r.parts[part].macro_f1 for r in results]) for part in results[0].parts},
            "poolings": ", ".join(dict.fromkeys(r.setting.pooling for r in results)),
        }
        for what, results in found.items()
    ]


def spread(values: Sequence[float]) -> dict:
    """Mean, lowest and highest of the draws."""
    return {"macro_f1": float(np.mean(values)), "lowest": min(values), "highest": max(values)}

"""Everything that the pages of one SAE show, and beside it the same of a random dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.explorer import beside
from mosaic.explorer.neighbours import by_decoder, by_firing
from mosaic.explorer.other_seeds import others_of_seed, partners
from mosaic.explorer.panels import NEAR, OfSet, Panels
from mosaic.explorer.probes import used
from mosaic.features.request import Request
from mosaic.interpretation import detection, tracking
from mosaic.interpretation.contexts import Windows
from mosaic.interpretation.names import kept_names
from mosaic.interpretation.outputs import Written, projected
from mosaic.interpretation.tracking import Tracked
from mosaic.models.causal import CausalModel
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import make_problem
from mosaic.profiles.opening import available, located
from mosaic.profiles.profile import Profile
from mosaic.saes.dictionary import Dictionary, load_dictionary
from mosaic.saes.encoder import Encoder
from mosaic.saes.loading import load_encoder
from mosaic.saes.source import SAESource
from mosaic.studies.controls import CALIBRATION_TEXTS, calibration_texts, random_dictionaries
from mosaic.studies.interpretation_examples import name_of
from mosaic.studies.interpretation_sets import TOKENS, Explained
from mosaic.studies.problems import load_cut
from mosaic.texts.labelled import LabelledTexts

POOLING = "max"  # above zero: the latent fires somewhere in the text


@dataclass(frozen=True, eq=False)
class Source:
    """What every SAE is shown by. pieces: the texts' tokens. causal: the model with its head, where it has one."""

    profile: Profile
    lm: LanguageModel
    texts: Sequence[str]
    pieces: Sequence[Sequence[str]]
    causal: CausalModel | None
    cache: Path | None

    @cached_property
    def sets(self) -> list[tuple[str, LabelledTexts, LabelledTexts]]:
        """(title, training texts, test texts) of each labelled set that can be had here."""
        return [(one.title, *load_cut(self.profile, one.name, one.language)) for one in available(self.profile)]

    @cached_property
    def truths(self) -> tuple:
        return tracking.texts()

    def opened(self, source: SAESource) -> tuple[Encoder, Encoder, Dictionary]:
        """(the SAE, a random dictionary like it, both directions of its latents)."""
        profile, lm = self.profile, self.lm
        encoder = load_encoder(located(source), profile.model.id, lm.d_model, lm.device, lm.spec.first_layer)
        # The chapters' own texts, where there are some: their features are in the cache then.
        texts = calibration_texts(profile) if self.sets else self.texts[:CALIBRATION_TEXTS]
        (random,) = random_dictionaries(encoder, lm, texts, 1)
        return encoder, random, load_dictionary(located(source))

    def written(self, decoder: np.ndarray) -> Written | None:
        return None if self.causal is None else projected(self.causal, decoder, TOKENS)

    def tracked(self, encoder: Encoder, latents: np.ndarray | slice) -> Tracked | None:
        """The factors that these latents track; None where none are known."""
        if not self.profile.truth:
            return None
        rows, factors = self.truths
        (table,) = tracking.tables(rows, self.lm, [encoder], self.cache)
        return tracking.tracked(table.matrix[:, latents], rows, factors)

    def on_sets(self, encoder: Encoder, latents: np.ndarray | slice = slice(None)) -> Iterator[OfSet]:
        """Of each labelled set: how often these latents fire in its texts, training and test together, as nothing is chosen by that;
        and what the probe on all latents makes of them."""
        for title, train, test in self.sets:
            problem = make_problem(train, test, self.lm, Request((encoder,), (), (POOLING,)), self.cache)
            labels = np.concatenate([train.labels, test.labels])
            fires = problem.tables[0].matrix[:, latents] > 0
            inside = [labels == name for name in train.classes]
            counts = np.stack([np.asarray(fires[rows].sum(0)).ravel() for rows in inside])
            n = np.array([rows.sum() for rows in inside])
            yield OfSet(title, tuple(map(str, train.classes)), counts, n, used(problem).of(latents))


def gathered(source: Source, sae: SAESource) -> tuple[Panels, Panels | None]:
    """(the SAE's latents, those of a random dictionary that stand beside them; None where none of either fires). Raises
    MosaicError where no latent of the SAE fires."""
    encoder, random, dictionary = source.opened(sae)
    found = detection.firings(source.texts, source.lm, [encoder, random])
    windows, others = Windows.of(found), others_of_seed(source.profile, sae)
    rate, random_rate = map(beside.rates, found.codes)
    if not len(alive := np.flatnonzero(rate)):
        raise MosaicError(f"no latent of layer {sae.layer}, {sae.width} fires on {len(source.texts)} texts. Read more.")
    kept = beside.sample(rate[alive], random_rate)
    twin = beside.twins(rate[alive], kept, random_rate) if len(kept) else []
    names = {} if source.cache is None else kept_names(source.cache, [encoder])
    trained = Panels(
        Explained.of(windows, found.codes[0]),
        source.pieces,
        name_of(source.lm),
        dictionary.decoder,
        source.written(dictionary.decoder[alive]),
        source.tracked(encoder, slice(None)),
        {int(name.rsplit("/", 1)[1]): text for name, text in names.items()},
        tuple(source.on_sets(encoder)),
        partners(dictionary, others),
        dict(zip(alive.tolist(), map(int, twin), strict=False)),
    )
    return trained, _control(source, random, dictionary, found.codes[1], windows, kept, others) if len(kept) else None


def _control(source: Source, random: Encoder, like: Dictionary, codes, windows: Windows, kept: np.ndarray, others):
    """The kept latents of a random dictionary, which writes what it reads. codes: [N, D]."""
    rows = random.weights.cpu().numpy()
    as_sae = replace(like, name=random.name, encoder=rows, decoder=rows, frequency=None)
    return Panels(
        Explained.of(windows, codes[:, kept]),
        source.pieces,
        name_of(source.lm),
        rows[kept],
        source.written(rows[kept]),
        source.tracked(random, kept),
        sets=tuple(source.on_sets(random, kept)),
        partners=[one.of(kept) for one in partners(as_sae, others)],
        numbers=kept,
        near=_near(rows, codes, np.flatnonzero(beside.rates(codes)), kept),
    )


def _near(rows: np.ndarray, codes, alive: np.ndarray, kept: np.ndarray) -> tuple:
    """The neighbours of the kept latents among all that fire."""
    wanted = np.searchsorted(alive, kept)
    found = by_decoder(rows[alive], NEAR, wanted), by_firing((codes[:, alive] > 0), NEAR, wanted)
    return tuple((alive[places], values) for places, values in found)

"""Some latents as the chapter shows them: their labels in a table, their contexts with every token shaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mosaic.interpretation import tracking
from mosaic.interpretation.contexts import DECILES, Sample
from mosaic.interpretation.descriptions import PLACES
from mosaic.models.causal import CausalModel
from mosaic.models.language import LanguageModel
from mosaic.profiles.profile import Profile
from mosaic.reporting import tables
from mosaic.saes.encoder import Encoder
from mosaic.studies import interpretation_labels as labels
from mosaic.studies.interpretation_classes import most_of
from mosaic.studies.interpretation_sets import Explained

SHOWN = 8  # latents
WORDS = 5  # tokens of a label
IN_CONTEXT = 2  # latents whose contexts are shown


@dataclass(frozen=True)
class Example:
    """latent: its number. fires, writes, changes: labels; None where there is none. detection: balanced accuracy of `fires`.
    tracks: the factor it tracks. of_class: the class in which it fires most, with shares."""

    latent: int
    fires: str
    detection: float
    writes: str | None
    changes: str | None
    tracks: str | None
    of_class: str | None = None

    def row(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Strip:
    """contexts: (what it is, tokens, activations), the weakest tenth first."""

    contexts: tuple[tuple[str, tuple[str, ...], np.ndarray], ...]

    def html(self) -> tables.Html:
        return tables.Html(
            "".join(tables.token_strip(tokens, {name: values}) for name, tokens, values in self.contexts)
        )


def examples(
    profile: Profile,
    lm: LanguageModel,
    encoder: Encoder,
    one: Explained,
    decoder: np.ndarray,
    causal: CausalModel | None,
    texts: Sequence[str],
    cache: Path | None,
) -> tuple[Example, ...]:
    """SHOWN judged latents at equal distances from the best to the worst explained: none was picked."""
    scores = one.judged.detection
    order = np.argsort(-scores, kind="stable")
    places = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]
    latents = one.judged.latent[places]
    writes = changes = None
    if causal is not None:
        writes = labels.projected(causal, decoder[latents], WORDS).raised
        changes = labels.amplified(one, decoder, latents, causal, lm, encoder.layer, texts).raised[:, :WORDS]
    classes = most_of(profile, lm, [int(latent) for latent in latents], cache)
    tracked = factors_tracked(lm, encoder, cache) if profile.truth else {}
    return tuple(
        Example(
            int(latent),
            f"{PLACES[one.told.place[latent]]} {labels.words(one.told.tokens[latent][:WORDS], name_of(lm))}",
            float(scores[place]),
            (writes is not None and labels.words(writes[i], name_of(lm))) or None,
            (changes is not None and labels.words(changes[i], name_of(lm))) or None,
            tracked.get(int(latent)),
            str(classes[i]) if classes[i] else None,
        )
        for i, (place, latent) in enumerate(zip(places, latents, strict=True))
    )


def factors_tracked(lm: LanguageModel, encoder: Encoder, cache: Path | None) -> dict[int, str]:
    """{latent: the factor it tracks, with its AUROC}."""
    rows, factors = tracking.texts()
    (table,) = tracking.tables(rows, lm, [encoder], cache)
    return tracking.names(table, rows, factors)


def strips(lm: LanguageModel, one: Explained, shown: Sequence[Example]) -> Strip:
    """Contexts of the best and of the middle latent of these, one of each tenth."""
    by_latent = {sample.latent: sample for sample in one.sampled}
    chosen = [shown[0], shown[len(shown) // 2]][: min(IN_CONTEXT, len(shown))]
    return Strip(tuple(context for example in chosen for context in _contexts(lm, one, by_latent[example.latent])))


def _contexts(lm: LanguageModel, one: Explained, sample: Sample):
    name, column = name_of(lm), one.codes[:, [sample.latent]].toarray().ravel()
    for decile in range(DECILES):
        window = sample.active[np.flatnonzero(sample.decile == decile)[0]]
        tokens = slice(one.windows.bounds[window], one.windows.bounds[window + 1])
        shown = tuple(name(int(i)) for i in one.windows.found.ids[tokens, 0])
        yield f"{sample.latent}, tenth {decile + 1}", shown, column[tokens]


def name_of(lm: LanguageModel):
    """A function that shows a token: its letters, without the mark of a word's beginning."""
    return lambda i: lm.tokenizer.convert_ids_to_tokens(i).replace("▁", " ").replace("Ġ", " ").strip() or "space"

"""Names of latents scored: is what a language model, Neuronpedia or anybody said of a latent true of it?

Every sentence is judged on contexts of odd texts; an explainer of ours was shown even ones. Beside each score stands that of another
latent's sentence on the same contexts. A sentence that was made from texts that the contexts may be of is not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation import judging
from mosaic.interpretation.contexts import DECILES, Sample, Windows, samples
from mosaic.interpretation.judging import DETECTION, FUZZING, Accuracy, Item
from mosaic.interpretation.name_scores import EMBEDDING, NameScore
from mosaic.interpretation.names import ELSEWHERE, Name
from mosaic.interpretation.replies import TRIES, Question, Replies
from mosaic.interpretation.speakers import Speaker
from mosaic.models.language import LanguageModel
from mosaic.studies.naming import Observed

KINDS = (DETECTION, FUZZING)
CONTEXTS = 50  # active ones of a latent, as many of each tenth, and as many silent ones


@dataclass(frozen=True)
class Left:
    """Latents whose name is not scored. nameless: they have none. shown: it comes from texts that the contexts may be of. seldom: they
    fire in too few contexts, or are silent in too few."""

    nameless: tuple[int, ...]
    shown: tuple[int, ...]
    seldom: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ToScore:
    """Latents whose names are scored, in their order, with what each is judged by. others: {latent: another's sentence}, which is
    never the latent's own; a latent for which there is none is not there."""

    observed: Observed
    windows: Windows
    sampled: tuple[Sample, ...]
    names: Mapping[int, Name]
    left: Left

    @classmethod
    def of(
        cls, observed: Observed, names: Mapping[int, Name], latents: Sequence[int], contexts: int = CONTEXTS
    ) -> ToScore:
        """Raises MosaicError for a number of contexts that tenths cannot share alike."""
        if contexts < DECILES or contexts % DECILES:
            raise MosaicError(
                f"{contexts} contexts of a latent were asked for; a multiple of {DECILES} was expected, as many of each tenth."
            )
        named = [latent for latent in latents if latent in names]
        fair = [latent for latent in named if names[latent].texts in (ELSEWHERE, observed.key)]
        windows = Windows.of(observed.found)
        found = samples(windows, observed.found.codes[0], contexts, per_decile=contexts // DECILES, latents=fair)
        sampled = tuple(found)
        there = {sample.latent for sample in sampled}
        left = Left(
            tuple(latent for latent in latents if latent not in names),
            tuple(latent for latent in named if latent not in set(fair)),
            tuple(latent for latent in fair if latent not in there),
        )
        return cls(observed, windows, sampled, {latent: names[latent] for latent in sorted(there)}, left)

    @cached_property
    def others(self) -> dict[int, str]:
        """Latents in an order that is drawn, read as a circle; each is given the next sentence that is not its own."""
        order = np.random.default_rng(0).permutation(sorted(self.names)).tolist()
        found = {}
        for place, latent in enumerate(order):
            circle = (self.names[other].text for other in [*order[place + 1 :], *order[:place]])
            if (text := next((text for text in circle if text != self.names[latent].text), None)) is not None:
                found[latent] = text
        return found

    def sentences(self, latent: int) -> list[str]:
        """The latent's own, then another's, where there is one."""
        return [self.names[latent].text, *([self.others[latent]] if latent in self.others else [])]

    @cached_property
    def items(self) -> dict[tuple[int, str], list[Item]]:
        """{(latent, kind): contexts to be judged}."""
        fired, pieces, found = self.observed.found.codes[0].tocsc(), self.observed.pieces, {}
        for sample in self.sampled:
            activation = fired[:, [sample.latent]].toarray().ravel()
            found[sample.latent, DETECTION] = judging.detection_items(self.windows, sample, pieces)
            found[sample.latent, FUZZING] = judging.fuzzing_items(self.windows, sample, pieces, activation)
        return found


@dataclass(frozen=True, eq=False)
class ByModel:
    """The names judged by a language model. size: contexts a question."""

    to_score: ToScore
    speaker: Speaker
    tries: int = TRIES
    size: int = judging.BATCH

    @cached_property
    def asked(self) -> dict[tuple[int, str, str], list[Question]]:
        """{(latent, kind, sentence): its questions}, in the order of `judging.batches`."""
        found = {}
        for (latent, kind), items in self.to_score.items.items():
            parts = judging.batches(len(items), latent, self.size)
            for sentence in self.to_score.sentences(latent):
                found[latent, kind, sentence] = [
                    judging.question(kind, sentence, [items[i].text for i in part], self.speaker, self.tries)
                    for part in parts
                ]
        return found

    @property
    def questions(self) -> list[Question]:
        return [question for part in self.asked.values() for question in part]

    def scored(self, replies: Replies) -> Iterator[NameScore]:
        """What the replies that there are come to."""
        for sample in self.to_score.sampled:
            latent = sample.latent
            own, *other = self.to_score.sentences(latent)
            found = {kind: self._accuracy(latent, kind, own, replies) for kind in KINDS}
            another = {kind: self._accuracy(latent, kind, text, replies).value for text in other for kind in KINDS}
            yield NameScore(
                latent,
                own,
                self.to_score.names[latent].source,
                self.speaker.name,
                {kind: one.value for kind, one in found.items()},
                another,
                {DETECTION: list(found[DETECTION].deciles)},
                sum(one.n for one in found.values()),
                sum(one.unread for one in found.values()),
                self.to_score.observed.key,
            )

    def _accuracy(self, latent: int, kind: str, sentence: str, replies: Replies) -> Accuracy:
        items = self.to_score.items[latent, kind]
        verdicts: list[int | None] = [None] * len(items)
        parts = judging.batches(len(items), latent, self.size)
        for part, question in zip(parts, self.asked[latent, kind, sentence], strict=True):
            value = replies.value(question)
            if isinstance(value, list) and len(value) == len(part):
                for i, verdict in zip(part, value, strict=True):
                    verdicts[i] = verdict
        return judging.accuracy(items, verdicts)


def by_embedding(to_score: ToScore, encoder: LanguageModel) -> Iterator[NameScore]:
    """The names judged by a sentence encoder: AUROC of the cosine of sentence and context, of active against silent contexts."""
    from mosaic.interpretation.language_scores import embedding

    lm = to_score.observed.lm

    def decode(context) -> str:
        return lm.tokenizer.decode(list(map(int, context)))

    own = [to_score.names[sample.latent].text for sample in to_score.sampled]
    paired = [sample for sample in to_score.sampled if sample.latent in to_score.others]
    labels = [*own, *(to_score.others[sample.latent] for sample in paired)]
    found = embedding(to_score.windows, [*to_score.sampled, *paired], labels, decode, encoder)
    another = dict(zip((sample.latent for sample in paired), found[len(own) :], strict=True))
    for sample, text, value in zip(to_score.sampled, own, found, strict=False):
        yield NameScore(
            sample.latent,
            text,
            to_score.names[sample.latent].source,
            encoder.spec.id.rsplit("/", 1)[-1],
            {EMBEDDING: _number(value)},
            {EMBEDDING: _number(another[sample.latent])} if sample.latent in another else {},
            contexts=len(sample.active) + len(sample.silent),
            texts=to_score.observed.key,
        )


def medians(scores: Sequence[NameScore]) -> dict[str, tuple[float | None, float | None]]:
    """{kind: (median over latents, that of another's sentence)}, of the numbers that there are."""
    kinds = dict.fromkeys(kind for score in scores for kind in score.scores)
    return {
        kind: (_median([s.scores.get(kind) for s in scores]), _median([s.another.get(kind) for s in scores]))
        for kind in kinds
    }


def _median(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.median(there)) if there else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

"""What the page of one latent shows, as a record of plain numbers and texts.

Everything is counted on the texts that were read once: `studies.interpretation_sets.Explained`. Activations have three digits;
contexts come evenly from the ten tenths of the windows in which the latent fires, by their largest activation.

Shapes: N tokens, W windows, D latents, A of them that fire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_matrix

from mosaic.explorer.neighbours import by_decoder, by_firing
from mosaic.explorer.other_seeds import Partners
from mosaic.explorer.probes import Used
from mosaic.interpretation.contexts import by_decile
from mosaic.interpretation.descriptions import NONE, PLACES
from mosaic.interpretation.outputs import Written
from mosaic.interpretation.scores import Judged, judge
from mosaic.interpretation.shares import wilson
from mosaic.interpretation.shown import example, rounded
from mosaic.interpretation.tracking import NAMED, Tracked
from mosaic.studies.interpretation_sets import Explained

BINS = 24
PER_DECILE = 2  # contexts
NEAR = 8  # neighbours of each kind
LISTED = 5  # tokens of a label in the list
LONGEST = 60  # characters of a token or a name that are shown
BLANK = "\u2423"


@dataclass(frozen=True, eq=False)
class OfSet:
    """How often each latent fires in the texts of a labelled set. fires: [classes, D] texts in which it does. n: [classes] texts.
    used: by its probe; None where none was fitted."""

    title: str
    classes: tuple[str, ...]
    fires: np.ndarray
    n: np.ndarray
    used: Used | None = None


@dataclass(frozen=True, eq=False)
class Panels:
    """One SAE's latents. pieces: the texts' tokens (`shown.token_texts`). token: shows a token id. decoder: [D, d]. written: of
    the alive ones, in their order; None without a head. tracked: None where factors are unknown. names: {latent: kept name}.
    partners: in SAEs of other seeds. twin: {latent: the random dictionary's latent beside it}.

    Of some latents of a dictionary alone: numbers, which they are, in the order of all other parts, and near, their neighbours among
    all latents, as (numbers, values) by decoder and by firing."""

    explained: Explained
    pieces: Sequence[Sequence[str]]
    token: Callable[[int], str]
    decoder: np.ndarray
    written: Written | None = None
    tracked: Tracked | None = None
    names: Mapping[int, str] | None = None
    sets: Sequence[OfSet] = ()
    partners: Sequence[Partners] = ()
    twin: Mapping[int, int] | None = None
    numbers: np.ndarray | None = None
    near: tuple | None = None

    @cached_property
    def columns(self) -> csc_matrix:
        """[N, D] the activations above zero."""
        codes = self.explained.codes.tocsc(copy=True)
        codes.data[codes.data < 0] = 0
        codes.eliminate_zeros()
        codes.sort_indices()
        return codes

    @cached_property
    def alive(self) -> np.ndarray:
        """[A] latents that fire on the texts."""
        return np.flatnonzero(np.diff(self.columns.indptr))

    @cached_property
    def _peaks(self) -> csc_matrix:
        return self.explained.windows.peaks(self.columns.tocsr())

    @cached_property
    def _near(self) -> tuple:
        if self.near is not None:
            return self.near
        found = by_decoder(self.decoder[self.alive], NEAR), by_firing(self.columns[:, self.alive].astype(bool), NEAR)
        return tuple((self.alive[places], values) for places, values in found)

    @cached_property
    def _scores(self) -> Judged:
        one = self.explained  # intruder, which is not shown, takes as long as all the rest
        return judge(one.windows, one.sampled, one.codes, one.matches, intruder=False)

    @cached_property
    def _judged(self) -> dict[int, int]:
        return {int(latent): i for i, latent in enumerate(self._scores.latent)}

    def records(self) -> Iterator[dict]:
        """Of every latent that fires, by number."""
        for place, latent in enumerate(self.alive):
            yield self.record(int(latent), place)

    def probes(self) -> list:
        """[title, macro-F1 on test texts, low, high, latents read, folds] of each set's probe."""
        found = [(cut(one.title), one.used) for one in self.sets if one.used is not None]
        scores = ("macro_f1", "low", "high")
        return [[title, *(round(getattr(u, key), 4) for key in scores), u.columns, u.n_folds] for title, u in found]

    def record(self, latent: int, place: int) -> dict:
        """place: of the latent among those that fire."""
        rows = slice(self.columns.indptr[latent], self.columns.indptr[latent + 1])
        values = rounded(self.columns.data[rows])
        texts = self.explained.windows.found.text
        n_texts = len(self.pieces)
        counts = np.bincount(np.minimum((values / values.max() * BINS).astype(int), BINS - 1), minlength=BINS)
        return {
            "n": latent if self.numbers is None else int(self.numbers[latent]),
            "beside": (self.twin or {}).get(latent),
            "label": self.label(latent),
            "name": cut((self.names or {}).get(latent)),
            "factor": self.factor(latent),
            "scores": self.scores(latent),
            "rate": significant(len(values) / len(texts)),
            "texts": significant(len(np.unique(texts[self.columns.indices[rows]])) / n_texts),
            "max": float(values.max()),
            "mean": significant(float(values.mean())),
            "bins": counts.tolist(),
            "raised": self._tokens(None if self.written is None else self.written.raised[place]),
            "lowered": self._tokens(None if self.written is None else self.written.lowered[place]),
            "near": [self._neighbours(place, found) for found in self._near],
            "seeds": [self._partner(one, latent) for one in self.partners],
            "classes": [self._classes(one, latent) for one in self.sets],
            "probes": [self._probe(one, latent) for one in self.sets if one.used is not None],
            "contexts": self.contexts(latent),
        }

    def label(self, latent: int) -> dict | None:
        """{place, tokens, score: balanced accuracy on odd texts}; None for a latent that fires too seldom to be described."""
        told = self.explained.told
        tokens = self._tokens(told.tokens[latent])
        if not tokens or np.isnan(told.score[latent]):
            return None
        return {
            "place": PLACES[told.place[latent]],
            "tokens": tokens,
            "score": significant(float(told.score[latent])),
        }

    def factor(self, latent: int) -> dict | None:
        """{name, auroc on the texts it was not chosen on, named: whether it is high enough to count}."""
        if self.tracked is None or not self.tracked.factor[latent]:
            return None
        named = bool(self.tracked.chosen_auroc[latent] > NAMED)
        return {
            "name": cut(self.tracked.factor[latent]),
            "auroc": significant(float(self.tracked.auroc[latent])),
            "named": named,
        }

    def scores(self, latent: int) -> dict | None:
        """None for a latent that is active, or silent, in too few contexts to be judged."""
        if (i := self._judged.get(latent)) is None:
            return None
        found = {key: float(getattr(self._scores, key)[i]) for key in ("detection", "near", "fuzzing")}
        return {key: None if np.isnan(value) else significant(value) for key, value in found.items()}

    def contexts(self, latent: int) -> list:
        """[decile 0 to 9, tokens, activations], the strongest first."""
        column = slice(self._peaks.indptr[latent], self._peaks.indptr[latent + 1])
        windows, values = self._peaks.indices[column], self._peaks.data[column]
        chosen, decile = by_decile(windows, values, np.random.default_rng([0, latent]), PER_DECILE)
        rows = slice(self.columns.indptr[latent], self.columns.indptr[latent + 1])
        activations = np.zeros(self.columns.shape[0])
        activations[self.columns.indices[rows]] = rounded(self.columns.data[rows])
        shown = [
            (int(d), example(self.explained.windows, w, self.pieces, activations))
            for w, d in zip(chosen, decile, strict=True)
        ]
        return [[d, [cut(t) for t in one.tokens], [plain(a) for a in one.activations]] for d, one in reversed(shown)]

    def _tokens(self, ids) -> list[str]:
        return [] if ids is None else [cut(self.token(int(i))) or BLANK for i in ids if i != NONE]

    def _neighbours(self, place: int, found) -> list:
        numbers, values = found
        return [[int(n), float(v)] for n, v in zip(numbers[place], values[place], strict=True)]

    def _partner(self, one: Partners, latent: int) -> list:
        """[seed, partner or None, cosine of the decoder rows, of the encoder rows, largest decoder cosine there, shared]."""
        partner = int(one.partner[latent])
        cosines = (round(float(getattr(one, name)[latent]), 3) for name in ("decoder", "encoder", "nearest"))
        return [one.seed, partner if partner >= 0 else None, *cosines, bool(one.shared[latent])]

    def _probe(self, one: OfSet, latent: int) -> list:
        """[title, class, coefficient, rank, folds among the largest, folds with its sign]; no class where the probe does not read it."""
        found = one.used
        label = cut(found.label[latent]) if found.rank[latent] else None
        counts = (int(getattr(found, name)[latent]) for name in ("rank", "top", "same"))
        return [cut(one.title), label, round(float(found.coefficient[latent]), 4), *counts]

    def _classes(self, one: OfSet, latent: int) -> list:
        """[title, [class, share, low, high, texts] ...] with Wilson's 95 %."""
        rows = []
        for name, fires, n in zip(one.classes, one.fires[:, latent], one.n, strict=True):
            low, high = wilson(fires, n)
            rows.append([cut(name), *(round(float(value), 4) for value in (fires / n, low, high)), int(n)])
        return [cut(one.title), rows]


def row(record: Mapping) -> list:
    """A record's line in the list: number, label, factor or name, AUROC, detection, rate, tokens it raises."""
    label, factor, scores = record["label"], record["factor"], record["scores"]
    named = factor if factor and factor["named"] else None
    return [
        record["n"],
        said(label, LISTED) if label else "",
        record["name"] or (named["name"] if named else ""),
        named["auroc"] if named else None,
        scores["detection"] if scores else None,
        record["rate"],
        " ".join(record["raised"][:LISTED]),
    ]


def said(label: Mapping, k: int) -> str:
    """`on "not", "never"`, of at most k tokens."""
    return f"{label['place']} " + ", ".join(f"\u201c{token}\u201d" for token in label["tokens"][:k])


def cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"


def significant(value: float) -> float:
    return float(rounded(np.array([value]))[0])


def plain(value: float) -> float | int:
    """0 and whole numbers without a point: most tokens are silent, and every one is written."""
    return int(value) if value == int(value) else value

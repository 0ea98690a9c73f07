"""How well an explanation tells where its latent fires: detection, fuzzing and intruder, without a language model.

Detection: is the latent active in this context? The explanation says yes where its tokens stand. Fuzzing: are the marked tokens
of this active context the ones it fires on? Yes where a marked token is one of the explanation's; in half of the cases the marks
are on as many tokens, drawn from those at most MILD of the context's largest activation. Both are balanced accuracies,

    (P(yes | true) + P(no | false)) / 2,

with chance at 1/2. Intruder asks without an explanation: of five contexts, in four of which the latent fires, which is the fifth?
The one least like the others (mean cosine of TF-IDF); chance is 1/5. Protocol and names: Paulo et al. (arXiv 2410.13928), whose
judge is a language model; the judge here is a description's own detector (`descriptions`).

Shapes: N tokens, W windows, D latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.interpretation.contexts import DECILES, Sample, Windows

MILD = 0.3
TRIALS = 20  # of intruder, a latent
OTHERS = 4  # contexts an intruder hides among


@dataclass(frozen=True, eq=False)
class Judged:
    """[L] each, of the sampled latents. detection, near: among silent contexts drawn at random, among the most alike. auroc: of the
    number of tokens that the explanation names. deciles: [L, 10] detection in each tenth of the activation. fuzzing. intruder: NaN
    where it was not asked. rate: share of tokens at which it fires."""

    latent: np.ndarray
    detection: np.ndarray
    near: np.ndarray
    auroc: np.ndarray
    deciles: np.ndarray
    fuzzing: np.ndarray
    intruder: np.ndarray
    rate: np.ndarray


def judge(
    windows: Windows,
    sampled: Sequence[Sample],
    codes: csr_matrix,
    matches: csr_matrix,
    seed: int = 0,
    intruder: bool = True,
) -> Judged:
    """Every score of every sampled latent. matches: CSR [N, D] of bool, where the latent's explanation says that it fires."""
    counts, said, fired = windows.counts(matches), matches.tocsc(), codes.tocsc()
    rows = [
        (
            *detection(sample, np.asarray(counts[:, [sample.latent]].todense()).ravel()),
            fuzzing(windows, sample, _column(fired, sample.latent), _column(said, sample.latent) > 0, seed),
            intruders(windows, sample, seed) if intruder else np.nan,
        )
        for sample in sampled
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.empty(0)] * 6
    latents = np.array([sample.latent for sample in sampled], dtype=int)
    return Judged(latents, *columns, np.diff(fired.indptr)[latents] / fired.shape[0])


def detection(sample: Sample, counts: np.ndarray) -> tuple[float, float, float, np.ndarray]:
    """(balanced accuracy, that among near contexts, AUROC, [10] balanced accuracy of each decile).

    counts: [W] tokens of each window that the explanation names.
    """
    active, silent = counts[sample.active], np.sort(counts[sample.silent])
    yes, no, near = active > 0, silent == 0, counts[sample.near] == 0
    hit = yes.mean()
    below, up_to = (np.searchsorted(silent, active, edge) for edge in ("left", "right"))
    area = (below + up_to).mean() / (2 * len(silent))
    deciles = np.array([yes[sample.decile == d].mean() for d in range(DECILES)])
    return (hit + no.mean()) / 2, (hit + near.mean()) / 2, area, (deciles + no.mean()) / 2


@dataclass(frozen=True, eq=False)
class Marks:
    """Tokens [T] of a latent's active windows, each window marked rightly and wrongly once. first: [active] where each begins among
    the T. fires: [T] where the latent fires. wrong: [T] as many tokens as it fires on in the mean window, of those at most MILD of
    their window's largest activation; none in a window that has none."""

    tokens: np.ndarray
    first: np.ndarray
    fires: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, windows: Windows, sample: Sample, activation: np.ndarray, seed: int = 0) -> Marks:
        """activation: [N]."""
        starts, stops = windows.bounds[sample.active], windows.bounds[sample.active + 1]
        first = np.concatenate([[0], np.cumsum(stops - starts)[:-1]])
        tokens = np.concatenate([np.arange(a, b) for a, b in zip(starts, stops, strict=True)])
        of, values = np.repeat(np.arange(len(first)), stops - starts), activation[tokens]
        n_marks = int(np.ceil((values > 0).sum() / len(first)))
        mild = np.flatnonzero(values <= MILD * np.maximum.reduceat(values, first)[of])
        drawn = mild[np.lexsort((np.random.default_rng([seed, sample.latent]).random(len(mild)), of[mild]))]
        begins = np.flatnonzero(np.diff(of[drawn], prepend=-1))
        place = np.arange(len(drawn)) - np.repeat(begins, np.diff(begins, append=len(drawn)))
        wrong = np.zeros(len(tokens), dtype=bool)
        wrong[drawn[place < n_marks]] = True
        return cls(tokens, first, values > 0, wrong)


def fuzzing(windows: Windows, sample: Sample, activation: np.ndarray, says: np.ndarray, seed: int = 0) -> float:
    """Balanced accuracy over the active windows, each marked rightly and wrongly once; NaN where no token is mild enough to be
    marked wrongly. activation, says: [N]."""
    marks = Marks.of(windows, sample, activation, seed)
    named = says[marks.tokens]
    right, wrong, marked = (
        np.logical_or.reduceat(which, marks.first) for which in (named & marks.fires, named & marks.wrong, marks.wrong)
    )
    if not marked.any():
        return float("nan")
    return float(right.mean() + 1 - wrong[marked].mean()) / 2


def intruders(windows: Windows, sample: Sample, seed: int = 0) -> float:
    """Share of TRIALS in which the silent context is the one least like the other four; ties count in part."""
    rng = np.random.default_rng([seed, sample.latent])
    chosen = np.array(
        [[*rng.choice(sample.active, OTHERS, replace=False), rng.choice(sample.silent)] for _ in range(TRIALS)]
    )
    rows = windows.tfidf[chosen.ravel()]
    alike = (rows @ rows.T).toarray().reshape(TRIALS, OTHERS + 1, TRIALS, OTHERS + 1)
    alike = np.stack([alike[t, :, t] for t in range(TRIALS)])
    mean = np.round((alike.sum(2) - alike[:, range(OTHERS + 1), range(OTHERS + 1)]) / OTHERS, 6)
    least = mean == mean.min(1, keepdims=True)
    return float((least[:, OTHERS] / least.sum(1)).mean())


def _column(matrix, j: int) -> np.ndarray:
    """[N] of a CSC matrix."""
    column = np.zeros(matrix.shape[0], dtype=np.float64)
    at = slice(matrix.indptr[j], matrix.indptr[j + 1])
    column[matrix.indices[at]] = matrix.data[at]
    return column

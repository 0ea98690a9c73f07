"""Panels of made-up latents, and their folder: texts of which each piece may be hostile."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.explorer.other_seeds import Partners
from mosaic.explorer.panels import OfSet, Panels
from mosaic.explorer.probes import Used
from mosaic.explorer.shards import write_page, write_sae
from mosaic.interpretation.contexts import Windows
from mosaic.interpretation.detection import Firings
from mosaic.interpretation.outputs import Written
from mosaic.interpretation.tracking import Tracked
from mosaic.studies.interpretation_sets import Explained

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    "');window.hacked = 1;('",
    "\u2028\u202e${window.hacked = 1}`",
    "javascript:window.hacked=1",
    "\ud800 half a letter",
]


def panels(n_texts=160, n_latents=40, seed=0, words=None) -> Panels:
    """Latent j fires on the word j most of the time; the last one never, the one before on three tokens."""
    rng = np.random.default_rng(seed)
    words = words or [f" word{i}" for i in range(n_latents)]
    lengths = rng.integers(5, 40, n_texts)
    text = np.repeat(np.arange(n_texts), lengths)
    ids = rng.integers(0, 10, len(text)) + 10 * rng.integers(0, 2, len(text))
    shifted = [np.concatenate([np.zeros(o, dtype=int), ids[: len(ids) - o]]) for o in range(3)]
    fires = (ids[:, None] == np.arange(n_latents) % 20) & (rng.random((len(ids), n_latents)) < 0.7)
    fires[:, -2:] = False
    fires[[5, 50, 500], -2] = True
    codes = csr_matrix(np.where(fires, rng.gamma(2, 1, fires.shape), 0).astype(np.float32))
    explained = Explained.of(Windows.of(Firings(np.stack(shifted, axis=1), text, (codes,))), codes)
    pieces = [tuple(words[i % len(words)] for i in ids[text == t]) for t in range(n_texts)]
    alive = int(fires.any(0).sum())
    auroc = rng.random(n_latents)
    return Panels(
        explained,
        pieces,
        lambda i: words[i % len(words)].strip(),
        rng.normal(size=(n_latents, 8)),
        Written(rng.integers(0, 20, (alive, 10)), rng.integers(0, 20, (alive, 10))),
        Tracked(auroc, auroc, [f"factor {words[j % len(words)]}" for j in range(n_latents)]),
        {3: words[0] + " is its name"},
        [
            OfSet(
                words[0],
                (words[1], "other"),
                rng.integers(0, 20, (2, n_latents)),
                np.array([20, 30]),
                probe(words[1], n_latents, rng),
            )
        ],
        [other_seed(1, n_latents, rng), other_seed(2, n_latents, rng)],
        {j: 100 + j // 2 for j in range(n_latents)},
    )


def control(words=None) -> Panels:
    """The latents 100 to 119 of a random dictionary, two of the others beside each."""
    made = panels(n_latents=22, seed=7, words=words)
    near = tuple((numbers + 500, values) for numbers, values in made._near)
    return replace(made, numbers=np.arange(100, 122), twin=None, near=near)


def probe(label, n, rng) -> Used:
    """Of all latents but the first, which fires in no training text."""
    rank = np.concatenate([[0], 1 + rng.permutation(n - 1)])
    coefficient = np.where(rank > 0, rng.normal(size=n), 0)
    folds = rng.integers(0, 6, (2, n))
    return Used(coefficient, [label] * n, rank, *folds, 5, 0.9, 0.85, 0.95, n - 1)


def other_seed(seed, n, rng) -> Partners:
    """Every even latent is shared, the last one has no partner."""
    cosine = rng.random(n)
    partner = rng.permutation(n)
    partner[-1] = -1
    return Partners(seed, partner, cosine, cosine, cosine, np.arange(n) % 2 == 0)


def folder(root, made: Panels, keys=("3/1k", "5/<b>"), words=None):
    """The pages of these latents, as those of several SAEs, each beside a random dictionary's; index.html."""
    saes, random = [], control(words)
    for key in keys:
        layer, width = key.split("/")
        files = write_sae(root, key, made.records(), random.records())
        saes.append(
            {
                "key": key,
                "layer": int(layer),
                "width": width,
                "latents": made.columns.shape[1],
                "probes": made.probes(),
                **files,
            }
        )
    index = {"title": "made up <b>", "model": HOSTILE[0], "texts": 160, "tokens": 3000, "context": 16, "named": 0.8}
    return write_page(root, {**index, "home": None, "head": True, "truth": True, "saes": saes})

# needs: seeds
# %% [markdown]
# # Many seeds: what is always found, what only once
#
# Two SAEs give one number. With more, each latent of a reference SAE can be asked in how many of the others it has a
# shared partner. Paulo and Belrose's nine SAEs {cite}`paulo2025` gave a U: most latents are in all of them or in only one.

# %% tags=["parameters"]
profile = "mini"

# %% tags=["hide-input"]
from itertools import combinations

import numpy as np
from IPython.display import HTML

from mosaic.agreement import stability
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.saes import sweep
from mosaic.studies import seeds as seed_saes

plots.style()
chosen = load_profile(profile)
base = sweep.settings(seed_saes.seed_rows(chosen))[0]
seeds = seed_saes.seeds_of(chosen, base.rows)
S = len(base.rows)
level = stability.Seeds.of([stability.random_dictionary(seeds.dictionaries[0], i) for i in range(S)])

# %% [markdown]
# ## In how many of {result}`many_seeds.n_seeds` SAEs?
#
# Each SAE in turn is the reference; bars are means over references, whiskers their range. Membership is counted pairwise
# with the reference: that A has a latent of B and B one of C does not make A have it. Random dictionaries (dashes) have
# all their latents to themselves.

# %% tags=["hide-input"]
counts = np.array([np.bincount(seeds.membership(i), minlength=S + 1)[1:] / len(seeds.dictionaries[i]) for i in range(S)])
alone = np.bincount(level.membership(0), minlength=S + 1)[1:] / len(level.dictionaries[0])
plots.bars(
    [(str(m + 1), counts[:, m].mean(), counts[:, m].min(), counts[:, m].max()) for m in range(S)],
    "share of latents", f"in exactly so many of {S} SAEs", chance={str(m + 1): alone[m] for m in range(S)},
);

# %% [markdown]
# Published, nine seeds of a 32k SAE of Pythia-160M: 34.8 % in only one, 5.9 to 8.7 % in each number between, 17.3 % in
# all nine.
#
# ## The whole curve of thresholds
#
# The same count at other thresholds: a U is not an accident of 0.7, nor does it hold at every threshold.

# %% tags=["hide-input"]
def shape(threshold):
    per = [np.bincount(seeds.membership(i, threshold), minlength=S + 1)[1:] / len(seeds.dictionaries[i]) for i in range(S)]
    return np.mean(per, axis=0)


thresholds = (0.5, 0.6, 0.7, 0.8)
plots.heatmap(np.array([shape(t) for t in thresholds]), [f"{t}" for t in thresholds], [str(m) for m in range(1, S + 1)], "share of latents");

# %% [markdown]
# ## Would more seeds find everything?
#
# The share of latents that only one of $S$ SAEs has falls as $S$ grows. Fitted by $a S^b + c$, the constant $c$ is what
# would stay the property of a single SAE however many were trained. Published (nine seeds, fitted for this project from
# the authors' values): c = .27.

# %% tags=["hide-input"]
def only(subsets):
    return [float(np.mean([seeds.only_in_one(subset) for subset in part])) for part in subsets]


def some(k, keep=range(S)):
    every = list(combinations(keep, k))
    chosen_few = np.random.default_rng(k).permutation(len(every))[:20]
    return [every[i] for i in chosen_few]


sizes = list(range(2, S + 1))
share = only(some(k) for k in sizes)
published = dict(zip(range(2, 10), (0.5831, 0.4843, 0.4359, 0.4061, 0.3854, 0.3700, 0.3579, 0.3481)))
series = {"this run": dict(zip(sizes, share)), "chance: random dictionaries": {s: level.only_in_one(range(s)) for s in sizes}}
fit, floor = None, None
if len(sizes) >= 4:
    fit = stability.offset_power_law(sizes, share)
    # Leave one SAE out at a time: how much the floor hangs on which were trained.
    floors = []
    for left in range(S):
        keep = [i for i in range(S) if i != left]
        fewer = list(range(2, S))
        if len(fewer) >= 4:
            floors.append(stability.offset_power_law(fewer, only(some(k, keep) for k in fewer))["c"])
    floor = [min(floors), max(floors)] if floors else None
    series["fit"] = {s: fit["a"] * s ** fit["b"] + fit["c"] for s in range(2, S + 1)}
series["published (Pythia-160M, 32k)"] = published
plots.steps(series, "SAEs compared", "share of latents in only one");

# %% [markdown]
# ## Around a triangle
#
# A measure without a threshold: follow a latent's decoder partner from A to B to C; is it A's own partner in C?

# %% tags=["hide-input"]
cycles = [seeds.cycle(*triple) for triple in combinations(range(S), 3)]
chance = float(np.mean([level.cycle(*triple) for triple in combinations(range(S), 3)]))
HTML(
    tables.table(
        [{"what": "trained SAEs", "mean": float(np.mean(cycles)), "low": min(cycles), "high": max(cycles), "triples": len(cycles)},
         {"what": "chance (random dictionaries)", "mean": chance, "triples": len(cycles)}],
        {"what": "", "mean": "triangles that close", "low": "lowest", "high": "highest", "triples": "triples"},
    )
)

# %% tags=["hide-input"]
mean = counts.mean(0)
u = min(mean[0], mean[-1]) - mean[1:-1].min()
each = [min(c[0], c[-1]) - c[1:-1].min() for c in counts]
pairs = stability.over_pairs(seeds, lambda pair: pair.shared().sum() / pair.n)
results.record(
    chosen.name,
    "many_seeds",
    {
        "n_seeds": S,
        "membership": {str(m + 1): {"mean": mean[m], "low": counts[:, m].min(), "high": counts[:, m].max()} for m in range(S)},
        "only_one": mean[0],
        "all": mean[-1],
        "lowest_between": mean[1:-1].min(),
        "u_shape": {"difference": u, "interval": [min(each), max(each)]},
        "shared": pairs,
        "only_in_one": {str(k): v for k, v in zip(sizes, share, strict=True)},
        "fit": fit,
        "floor": None if fit is None else fit["c"],
        "floor_interval": floor,
        "cycle": {"mean": np.mean(cycles), "low": min(cycles), "high": max(cycles), "chance": chance},
    },
);

# %% [markdown]
# ## What it says
#
# {result}`many_seeds.only_one` of the latents are in one SAE only, {result}`many_seeds.all` in all
# {result}`many_seeds.n_seeds`; the least frequent number between has {result}`many_seeds.lowest_between`. The smaller end
# stands {result}`many_seeds.u_shape.difference` above the bottom (a reference at a time:
# {result}`many_seeds.u_shape.interval`). The fitted floor is {result}`many_seeds.floor`, and with one SAE left out
# {result}`many_seeds.floor_interval`. Of the triangles of decoder partners, {result}`many_seeds.cycle.mean` close.

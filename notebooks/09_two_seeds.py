# needs: seeds
# %% [markdown]
# # Two seeds, one question
#
# Train the same SAE twice, on the same activations in the same order, and change nothing but the random numbers it
# starts from. Does it find the same latents? Paulo and Belrose found that often it does not {cite}`paulo2025`.
#
# A latent has two directions: what it reads (its encoder's row) and what it writes (its decoder's row). Each set of
# rows is matched one to one across the two SAEs so that the sum of cosines is largest, decoders and encoders
# separately. A latent is **shared** when both matchings give it the same partner and both cosines are at least 0.7:
#
# $$
# \text{shared}_i = [P_\text{dec}(i) = P_\text{enc}(i)] \wedge \cos_\text{dec}(i, P(i)) \ge 0.7 \wedge
# \cos_\text{enc}(i, P(i)) \ge 0.7.
# $$

# %% tags=["parameters"]
profile = "mini"

# %% tags=["hide-input"]
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from mosaic.agreement import stability
from mosaic.agreement.cosines import unit_rows
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.saes import sweep, training
from mosaic.saes.dictionary import load_dictionary
from mosaic.studies import seeds as seed_saes

plots.style()
chosen = load_profile(profile)
rows = seed_saes.seed_rows(chosen)
base = sweep.settings(rows)[0]
seeds = seed_saes.seeds_of(chosen, base.rows)
a, b = seeds.dictionaries[:2]
pair = seeds.pairs[0, 1]

# %% [markdown]
# ## From scratch, small enough to follow by eye
#
# Two SAEs of 32 latents, trained here and now on the same 200,000 activations in the same order. Every latent of one (rows)
# against every latent of the other (columns). On the left the columns stand as training left them: latent 3 of one SAE
# has nothing to do with latent 3 of the other. On the right each row's partner has been put on the diagonal, and the rows
# are sorted by how well they match: at the top two SAEs found the same thing, at the bottom a row has only the least bad
# partner that was left.

# %% tags=["hide-input"]
lm = load_model(chosen)
texts = seed_saes.held_out_texts(chosen, 6000)
run = training.TrainRun(tokens=200_000, batch_size=256)
with tempfile.TemporaryDirectory() as folder:
    specs = [training.SAESpec(chosen.middle, width=32, k=4, seed=seed) for seed in (0, 1)]
    trained = training.train(lm, texts, specs, run, Path(folder))
    small_a, small_b = (load_dictionary(Path(folder) / row["name"]) for row in trained)
small = stability.match(small_a, small_b)
order = np.argsort(-np.fmin(small.decoder.cosine, small.encoder.cosine))
cosines = unit_rows(small_a.decoder)[0][order] @ unit_rows(small_b.decoder)[0].T
panels, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharey=True)
titles = ("as trained", f"matched: {small.shared().sum()} of 32 are shared")
for ax, columns, title in zip(axes, (np.arange(32), small.decoder.partner[order]), titles, strict=True):
    image = ax.imshow(cosines[:, columns], cmap="viridis", vmin=-0.2, vmax=1)
    ax.set_title(title, color=plots.INK)
    ax.set(xlabel="latents of seed 1", xticks=[], yticks=[])
    ax.grid(False)
axes[0].set_ylabel("latents of seed 0")
panels.colorbar(image, ax=axes, label="cosine of decoders", shrink=0.8);

# %% [markdown]
# ## All latents
#
# The matched decoders' cosines of seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b`, split by whether the
# encoders were matched the same way. What matching makes of two dictionaries that know nothing is the dashed line: with
# so many directions to choose from, even random ones find a partner of cosine {result}`two_seeds.chance_cosine`.

# %% tags=["hide-input"]
figures = stability.summary(pair, baselines=3)
chance = figures["chance"]
plots.distribution(
    {
        "decoder and encoder agree": pair.decoder.cosine[pair.equal],
        "they disagree": pair.decoder.cosine[~pair.equal & (pair.decoder.partner >= 0)],
    },
    "cosine of matched decoder rows",
    {"chance (random dictionary)": chance["random dictionary"]["pw_mcc"], "threshold": stability.THRESHOLD},
);

# %% [markdown]
# Where the two matchings disagree, {result}`two_seeds.disagree_below` of the latents lie below 0.7, so the threshold
# alone would have removed them too.
#
# ## Every threshold
#
# 0.7 is a choice. The whole curve, for all latents and for those alone that fire in held-out texts, with three
# baselines that know nothing: a random dictionary, two untrained SAEs (whose encoder and decoder are tied, so that both
# matchings agree without anything being learned), and one SAE with its coordinates shuffled.

# %% tags=["hide-input"]
living = stability.match_alive(pair)
series = {"all latents": pair.curve()}
if living is not None:
    series["alive only"] = living.curve()
for name, draw in stability.BASELINES.items():
    series[f"chance: {name}"] = stability.match(*draw(a, b, 0)).curve()
plots.steps(series, "threshold on both cosines", "shared fraction");

# %% tags=["hide-input"]
columns = {"all latents": figures, "alive only": figures["alive"] or {}, **chance}
HTML(
    tables.table(
        [
            {"figure": label, **{name: values.get(key) for name, values in columns.items()}}
            for key, label in (
                ("shared_fraction", "shared"),
                ("equal_fraction", "equal partners"),
                ("pw_mcc", "mean matched cosine (PW-MCC)"),
                ("pw_mcc_absolute", "PW-MCC, signs ignored"),
                ("mean_max_cosine", "mean nearest cosine"),
            )
        ],
        {"figure": "figure", **{name: name for name in columns}},
    )
)

# %% [markdown]
# ## Does the measure measure?
#
# A permuted copy of an SAE must be found again, an untrained pair must share nothing. And the control that looks like
# stability but is not: the *same* start with *other* texts. Values over three pairs or draws, with their range.

# %% tags=["hide-input"]
def permuted(dictionary, seed):
    return dictionary.only(np.random.default_rng(seed).permutation(len(dictionary)))


def of(matches):
    values = [float(m.shared().sum() / m.n) for m in matches]
    return {"shared": float(np.mean(values)), "low": min(values), "high": max(values), "interval": [min(values), max(values)], "pairs": len(values)}


controls = {
    "seeds": of(seeds.pairs.values()),
    "permuted": of(stability.match(x, permuted(x, 0)) for x in seeds.dictionaries[:3]),
    "untrained": of(stability.match(*stability.BASELINES["untrained SAEs"](a, b, seed)) for seed in range(3)),
}
same_start = sweep.same_start(rows)
if len(same_start) > 1:
    controls["same_start"] = of(seed_saes.seeds_of(chosen, same_start).pairs.values())
labels = {"seeds": "other start, same texts", "permuted": "permuted copy", "untrained": "untrained pair", "same_start": "same start, other texts"}
HTML(
    tables.table(
        [{"pair": labels[name], **values, "range": f"{values['low']:.3f} to {values['high']:.3f}"} for name, values in controls.items()],
        {"pair": "pair", "shared": "shared", "range": "range", "pairs": "pairs"},
    )
)

# %% tags=["hide-input"]
disagree = ~pair.equal & (pair.decoder.partner >= 0)
lower = np.fmin(pair.decoder.cosine, pair.encoder.cosine)
results.record(
    chosen.name,
    "two_seeds",
    {
        "seed_a": base.seeds[0],
        "seed_b": base.seeds[1],
        "same_batches": len({row.get("batches") for row in base.rows}) == 1,
        "setting": {key: base.rows[0][key] for key in sweep.KEYS},
        "n_latents": pair.n,
        "d_in": a.d_in,
        "figures": {key: value for key, value in figures.items() if key != "pairs"},
        "chance_cosine": chance["random dictionary"]["pw_mcc"],
        "disagree_below": float((lower[disagree] < stability.THRESHOLD).mean()) if disagree.any() else 1.0,
        "controls": controls,
        "same_start": controls.get("same_start", {}).get("shared"),
        "exact": figures["exact"],
    },
);

# %% [markdown]
# ## What it says
#
# Of {result}`two_seeds.n_latents` latents, seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b` share
# {result}`two_seeds.figures.shared_fraction`; over all pairs of seeds it is {result}`two_seeds.controls.seeds.shared`
# ({result}`two_seeds.controls.seeds.low` to {result}`two_seeds.controls.seeds.high`). An untrained pair shares
# {result}`two_seeds.controls.untrained.shared`, a permuted copy {result}`two_seeds.controls.permuted.shared`. SAEs of one
# start that saw other texts share {result}`two_seeds.same_start`.

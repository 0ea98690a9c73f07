# %% [markdown]
# # Which layer?
#
# The paper compares an early, a middle and a late layer of each model and finds the middle ones best on
# average {cite}`gallifant2025`. Here every layer with an SAE is compared with the hidden states of the same
# layer; the pooling of each point is the one validation chose, never the test set.

# %% tags=["parameters"]
profile = "mini"
poolings = ["sum", "mean", "max"]

# %% tags=["hide-input"]
import numpy as np

from mosaic.probing import comparison
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results
from mosaic.studies import problems

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)

# %% tags=["hide-input"]
sets = {}
for title, problem in problems.problems(chosen, lm, widths=[chosen.width], poolings=poolings):
    found = comparison.evaluate(problem, families=["sae", "hidden"], binarize=False, trees=False)
    best = {}
    for result in found:  # best validation first, so the first of each layer is the chosen one
        best.setdefault((result.setting.features, result.setting.layer), result)
    sets[title] = {
        features: {
            str(layer): {**best[features, layer].row(), "layer": layer} for layer in chosen.layers
        }
        for features in ("sae", "hidden")
    }

# %% [markdown]
# ## Layer curves
#
# One panel a data set; bands are 95 % bootstrap intervals over test texts.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, len(sets), figsize=(2.5 * len(sets) + 0.6, 3.2), sharey=True)
for ax, (title, curves) in zip(np.atleast_1d(axes), sets.items()):
    series = {
        features: [(layer, row["macro_f1"], row["low"], row["high"]) for layer, row in by_layer.items()]
        for features, by_layer in curves.items()
    }
    plots.curves(series, "layer", "macro-F1 (test)" if title == next(iter(sets)) else "", ax)
    ax.set_title(title, fontsize="medium")
    ax.get_legend().remove()
handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=2);

# %% tags=["hide-input"]
layers = [str(layer) for layer in chosen.layers]


def mean_curve(features):
    return {layer: float(np.mean([s[features][layer]["macro_f1"] for s in sets.values()])) for layer in layers}


def validation_choice(features):
    validation = {l: np.mean([s[features][l]["validation_macro_f1"] for s in sets.values()]) for l in layers}
    return max(validation, key=validation.get)


names = ["early", "middle", "late"]
positions = dict(zip(layers, names if len(layers) == 3 else layers))
best_layer = {features: validation_choice(features) for features in ("sae", "hidden")}
results.record(
    chosen.name,
    "layers",
    {
        "sets": sets,
        "mean": {features: mean_curve(features) for features in ("sae", "hidden")},
        "best_layer": best_layer,
        "best_position": {features: positions[layer] for features, layer in best_layer.items()},
        "best_mean": {f: mean_curve(f)[layer] for f, layer in best_layer.items()},
        "n_sets": len(sets),
    },
);

# %% [markdown]
# ## What it says
#
# Averaged over {result}`layers.n_sets` sets, validation chooses layer {result}`layers.best_layer.sae` for SAE
# features (mean test macro-F1 {result}`layers.best_mean.sae`), which is the *{result}`layers.best_position.sae`*
# of the layers compared, and layer {result}`layers.best_layer.hidden` for hidden states
# ({result}`layers.best_mean.hidden`). The [claims page](../claims.md) sets this beside the published statement.

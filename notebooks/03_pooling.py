# %% [markdown]
# # Which pooling?
#
# A text has many tokens, a classifier wants one row. The paper pools SAE activations by sums and by top-$n$
# counts, and hidden states by their last token only; so its comparison of features is also one of poolings.
# Here every pooling is given to both {cite}`gallifant2025`.

# %% tags=["parameters"]
profile = "mini"

# %% tags=["hide-input"]
import numpy as np

from mosaic.probing import comparison, scores
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results
from mosaic.studies import problems

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)

# %% tags=["hide-input"]
sets, cases = {}, {"sae": [], "hidden": []}
for title, problem in problems.problems(chosen, lm, layers=[chosen.middle], widths=[chosen.width]):
    found = comparison.evaluate(problem, families=["sae", "hidden"], binarize=False, trees=False)
    by_pooling = {(r.setting.features, r.setting.pooling): r for r in found}
    sets[title] = {
        features: {pooling: by_pooling[features, pooling].row() for pooling in chosen.poolings}
        for features in ("sae", "hidden")
    }
    for features in ("sae", "hidden"):
        sums, last = by_pooling[features, "mean"], by_pooling[features, "last"]
        cases[features].append((problem.test.labels, sums.predicted, last.predicted, problem.test.groups))

# %% [markdown]
# ## SAE features

# %% tags=["hide-input"]
def grid(features):
    return np.array([[s[features][p]["macro_f1"] for p in chosen.poolings] for s in sets.values()])


plots.heatmap(grid("sae"), list(sets), list(chosen.poolings), "macro-F1 (test)");

# %% [markdown]
# ## Hidden states
#
# The same poolings of the residual stream itself. For hidden states a count is the number of tokens in which a
# dimension is positive.

# %% tags=["hide-input"]
plots.heatmap(grid("hidden"), list(sets), list(chosen.poolings), "macro-F1 (test)");

# %% tags=["hide-input"]
mean = {f: dict(zip(chosen.poolings, grid(f).mean(0))) for f in ("sae", "hidden")}
difference = {f: scores.compare_mean(cases[f]) for f in ("sae", "hidden")}
results.record(
    chosen.name,
    "pooling",
    {
        "layer": chosen.middle,
        "sets": sets,
        "mean": mean,
        "best": {f: max(mean[f], key=mean[f].get) for f in mean},
        "mean_minus_last": {
            f: {"difference": d.difference, "interval": [d.low, d.high], "p": d.p} for f, d in difference.items()
        },
    },
);

# %% [markdown]
# ## What it says
#
# At layer {result}`pooling.layer` the pooling with the highest mean over the sets is
# *{result}`pooling.best.sae`* for SAE features and *{result}`pooling.best.hidden`* for hidden states (read off
# the test scores, so a description of the grid above and not a choice to report a score with).
#
# How much does the hidden-state baseline lose by reading the last token only, as the published comparison has
# it? Mean pooling minus last token: {result}`pooling.mean_minus_last.hidden.difference` macro-F1
# (95 % {result}`pooling.mean_minus_last.hidden.interval`) for hidden states, and
# {result}`pooling.mean_minus_last.sae.difference` ({result}`pooling.mean_minus_last.sae.interval`) for SAE
# features. A baseline that gets one pooling while the features get several is not compared fairly.

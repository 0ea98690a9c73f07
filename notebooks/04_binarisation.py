# %% [markdown]
# # On or off: binarised features
#
# The paper's best setting on average keeps only whether a pooled latent exceeds a threshold. Its threshold is
# 1.0 for every pooling {cite}`gallifant2025`; but 1.0 means something else for a sum of activations than for a
# count of tokens, where "above 1.0" is "in at least two tokens". Here the threshold is chosen on validation,
# and its whole curve is shown.

# %% tags=["parameters"]
profile = "mini"
poolings = ["sum", "max", "count", "top20"]

# %% tags=["hide-input"]
import numpy as np

from mosaic.probing import comparison, examine, scores
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results
from mosaic.studies import problems

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)

# %% tags=["hide-input"]
PUBLISHED_THRESHOLD = 1.0
sets, sweeps = {}, {}
cases = {kind: {p: [] for p in poolings} for kind in ("tuned", "published")}
for title, problem in problems.problems(
    chosen, lm, layers=[chosen.middle], widths=[chosen.width], poolings=poolings
):
    found = comparison.evaluate(problem, families=["sae"], trees=False)
    by = {(r.setting.pooling, r.setting.binarized): r for r in found}
    sets[title] = {
        pooling: {"raw": by[pooling, False].row(), "binarized": by[pooling, True].row()} for pooling in poolings
    }
    for pooling in poolings:
        raw, tuned = by[pooling, False].predicted, by[pooling, True]
        published = examine.binarised_at(problem, pooling, PUBLISHED_THRESHOLD, tuned.strength)
        for kind, on in (("tuned", tuned.predicted), ("published", published.predicted)):
            cases[kind][pooling].append((problem.test.labels, on, raw, problem.test.groups))
    sweeps[title] = examine.threshold_sweep(problem, "sum", by["sum", True].strength)

# %% [markdown]
# ## The threshold's curve
#
# Macro-F1 on test of a probe on binarised *sums*, against the share of active values that the threshold lets
# through; the dot is where the published 1.0 falls.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

figure, ax = plt.subplots()
for (title, sweep), colour in zip(sweeps.items(), plots.COLOURS.values()):
    kept = [point["kept"] for point in sweep["curve"]]
    ax.plot(kept, [point["macro_f1"] for point in sweep["curve"]], marker=".", color=colour, label=title)
    ax.plot(sweep["published"]["kept"], sweep["published"]["macro_f1"], marker="o", markersize=9, color=colour)
ax.set(xlabel="share of active values above the threshold", ylabel="macro-F1 (test)")
ax.invert_xaxis()
ax.legend();

# %% [markdown]
# ## Raw against binarised

# %% tags=["hide-input"]
difference = {
    kind: {pooling: scores.compare_mean(cases[kind][pooling]) for pooling in poolings} for kind in cases
}
figure, ax = plt.subplots(figsize=(6.4, 2.9))
for offset, (kind, by_pooling), colour in zip((-0.12, 0.12), difference.items(), plots.COLOURS.values()):
    for i, d in enumerate(by_pooling.values()):
        error = [[d.difference - d.low], [d.high - d.difference]]
        label = {"tuned": "threshold chosen on validation", "published": "threshold 1.0"}[kind]
        ax.errorbar(d.difference, i + offset, xerr=error, fmt="o", color=colour, label=label if i == 0 else None)
ax.legend(fontsize="small")
ax.axvline(0, color=plots.INK, linewidth=1)
ax.set_yticks(range(len(poolings)), poolings)
ax.invert_yaxis()
ax.set_xlabel("macro-F1, binarised minus raw (mean over sets, 95 % interval)");

# %% tags=["hide-input"]
results.record(
    chosen.name,
    "binarisation",
    {
        "layer": chosen.middle,
        "sets": sets,
        "difference": {
            kind: {p: {"difference": d.difference, "interval": [d.low, d.high], "p": d.p} for p, d in by.items()}
            for kind, by in difference.items()
        },
        "mean": {
            p: {kind: float(np.mean([s[p][kind]["macro_f1"] for s in sets.values()])) for kind in ("raw", "binarized")}
            for p in poolings
        },
        "sweeps": sweeps,
    },
);

# %% [markdown]
# ## What it says
#
# With the threshold chosen on validation, binarising sums changes mean macro-F1 from
# {result}`binarisation.mean.sum.raw` to {result}`binarisation.mean.sum.binarized`:
# {result}`binarisation.difference.tuned.sum.difference`
# (95 % {result}`binarisation.difference.tuned.sum.interval`); with the published threshold of 1.0 the change is
# {result}`binarisation.difference.published.sum.difference`
# ({result}`binarisation.difference.published.sum.interval`). For top-20 counts the two are
# {result}`binarisation.difference.tuned.top20.difference` and
# {result}`binarisation.difference.published.top20.difference`
# ({result}`binarisation.difference.published.top20.interval`).
# What the paper's committed results give stands beside these figures on the [claims page](../claims.md).

# %% [markdown]
# # On or off: binarised features
#
# The paper's best setting on average keeps only whether a pooled latent exceeds a threshold. Its threshold is
# 1.0 for every pooling {cite}`gallifant2025`; but 1.0 means something else for a sum of activations than for a
# count of tokens, where "above 1.0" is "in at least two tokens". Here the threshold is chosen on validation,
# and its whole curve is shown.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
poolings = ["sum", "max", "count", "top20"]
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import binarisation

plots.style()

# %%
study = binarisation.run(profile, poolings=poolings, device=device)
study.record();

# %% [markdown]
# ## The threshold's curve
#
# Macro-F1 on test of a probe on binarised *sums*, against the share of active values that the threshold lets
# through, one line a data set; the large mark is where the published 1.0 falls.

# %%
study.threshold_curve()

# %% [markdown]
# ## Raw against binarised
#
# Right of the line, binarising helps. Dots are means over the data sets; the interval comes from resampling the
# test texts of each set, the same texts for both.

# %%
study.figure()

# %% [markdown]
# The same differences as numbers, beside the mean scores of raw features and of those binarised at the
# threshold that validation chose.

# %%
study.table()

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

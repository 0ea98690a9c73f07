# %% [markdown]
# # On or off: binarised features
#
# The paper's best setting on average keeps only whether a pooled latent exceeds a threshold. Its threshold is 1.0 for
# every pooling {cite}`gallifant2025`; but 1.0 means something else for a sum of activations, whose unit is that of the
# SAE, than for a count of tokens, where "above 1.0" is "in at least two tokens". Does binarising help? Here the threshold
# is chosen on validation, the published one stands beside it, each with a regularisation strength of its own, and the
# whole curve is shown. What came out: {result}`binarisation.sentences.tuned_sum` {result}`binarisation.sentences.kept`
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import binarisation

plots.style()

# %%
study = binarisation.run(profile, device=device)
study.record();

# %% [markdown]
# ## The threshold's curve
#
# Macro-F1 on test of a probe on binarised *sums*, less that of raw sums, against the share of active values that the
# threshold lets through; one line a data set. The large mark is where the published 1.0 falls.

# %%
study.threshold_curve()

# %% [markdown]
# {result}`binarisation.sentences.curve`
#
# {result}`binarisation.sentences.kept` Activations have no unit of their own: an SAE's training sets their size. A claim
# about 1.0 on sums can therefore be tested with Gemma Scope's SAEs only, and elsewhere the curve is what there is to be
# found. {result}`binarisation.sentences.counts` That claim is tested on every model.

# %% [markdown]
# ## Raw against binarised
#
# Right of the line, binarising helps. Dots are means over the data sets; the intervals come from resampling the data
# sets and the test texts of each, the same texts for both forms.

# %%
study.figure()

# %% [markdown]
# The same differences as numbers, beside the mean scores of raw features and of those binarised at the
# threshold that validation chose; the last column is the share of active values above 1.0.

# %%
study.table()

# %% [markdown]
# ## What it says
#
# *Sums, threshold chosen on validation.* {result}`binarisation.sentences.tuned_sum`
#
# *Sums, the published threshold.* {result}`binarisation.sentences.published_sum`
#
# *Top-20 counts, threshold chosen on validation.* {result}`binarisation.sentences.tuned_top20`
#
# *Top-20 counts, the published threshold.* {result}`binarisation.sentences.published_top20`
#
# What the paper's committed results give stands beside these figures on the [claims page](../claims.md).

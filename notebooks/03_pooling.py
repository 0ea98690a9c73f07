# %% [markdown]
# # Which pooling?
#
# A text has many tokens, a classifier wants one row. The paper pools SAE activations by sums and by top-$n$
# counts, and hidden states by their last token only; so its comparison of features is also one of poolings.
# Here every pooling is given to both {cite}`gallifant2025`.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import pooling

plots.style()

# %%
study = pooling.run(profile, device=device)
study.record();

# %% [markdown]
# ## SAE features
#
# A line a data set, a column a pooling; all read the same layer.

# %%
study.figure("sae")

# %% [markdown]
# ## Hidden states
#
# The same poolings of the residual stream itself. For hidden states a count is the number of tokens in which a
# dimension is positive.

# %%
study.figure("hidden")

# %% [markdown]
# ## What reading the last token only costs
#
# The published hidden-state baseline reads the last token. Mean pooling minus last token, averaged over the
# sets:

# %%
study.table()

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

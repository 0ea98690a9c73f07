# %% [markdown]
# # Which layer?
#
# The paper compares an early, a middle and a late layer of each model and finds the middle ones best on
# average {cite}`gallifant2025`. Here every layer with an SAE is compared with the hidden states of the same
# layer. At each layer validation folds of the training set choose the pooling; the test set chooses nothing.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
poolings = ["sum", "mean", "max"]
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import layers

plots.style()

# %%
study = layers.run(profile, poolings=poolings, device=device)
study.record();

# %% [markdown]
# ## Layer curves
#
# One panel a data set; bands are 95 % bootstrap intervals over test texts.

# %%
study.figure()

# %% [markdown]
# ## Which one validation chooses
#
# One layer has to serve all sets here: the one with the highest validation score averaged over them. Its test
# score is then read once.

# %%
study.table()

# %% [markdown]
# ## What it says
#
# Averaged over {result}`layers.n_sets` sets, validation chooses layer {result}`layers.best_layer.sae` for SAE
# features (mean test macro-F1 {result}`layers.best_mean.sae`), which is the *{result}`layers.best_position.sae`*
# of the layers compared, and layer {result}`layers.best_layer.hidden` for hidden states
# ({result}`layers.best_mean.hidden`). The [claims page](../claims.md) sets this beside the published statement.

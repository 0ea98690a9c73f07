# %% [markdown]
# # SAE features against hidden states and bags of words
#
# The paper's headline: SAE features reach a macro-F1 above 0.8 and beat hidden states and bags of words
# {cite}`gallifant2025`. The comparison here is nested (every setting is chosen on validation folds of the
# training set), gives every pooling to both kinds of features, uses word and character TF-IDF, and puts a
# 95 % interval on everything.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
poolings = ["sum", "mean", "max"]
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import sae_against_baselines

plots.style()

# %%
study = sae_against_baselines.run(profile, poolings=poolings, device=device)
study.record();

# %% [markdown]
# ## The comparison

# %%
study.figure()

# %%
study.table()

# %% [markdown]
# ## Controls: has anything been learned?
#
# Two controls the published comparison lacks: a *random dictionary* of the same width and the same mean number
# of active latents, and the same language model with *random weights*. What they reach is owed to sparse random
# projections of the residual stream, and to the words themselves. Both read the middle layer, mean-pooled.

# %%
study.controls_table()

# %% [markdown]
# ## How few latents suffice?
#
# The same probe on the $k$ latents whose class means differ most {cite}`kantamneni2025`, one panel a data set.

# %%
study.k_sparse_curves()

# %% [markdown]
# ## What the probes look at
#
# The five largest weights of each set's linear probe, with the training text on which the latent is most
# active. Where the model's factors are known, a latent is named after the one it tracks best. Texts are shown
# as published; some sets hold offensive language, which they exist to detect.

# %%
study.latents_table()

# %% [markdown]
# ## What it says
#
# Over {result}`sae_against_baselines.n_sets` sets, the SAE setting that validation chose reaches a mean test
# macro-F1 of {result}`sae_against_baselines.mean.sae`; hidden states reach
# {result}`sae_against_baselines.mean.hidden`, TF-IDF {result}`sae_against_baselines.mean.tfidf`, the majority
# class {result}`sae_against_baselines.mean.majority`.
#
# - SAE minus TF-IDF: {result}`sae_against_baselines.difference.tfidf.difference`
#   (95 % {result}`sae_against_baselines.difference.tfidf.interval`).
# - SAE minus hidden states: {result}`sae_against_baselines.difference.hidden.difference`
#   (95 % {result}`sae_against_baselines.difference.hidden.interval`).
#
# The SAE loses to the hidden states of the same model on {result}`sae_against_baselines.n_losses` of
# {result}`sae_against_baselines.n_sets` sets: {result}`sae_against_baselines.losses`.
#
# And against nothing learned at all: at the same layer, width and pooling, the trained SAE minus a random
# dictionary of equal sparsity is {result}`sae_against_baselines.against_random.difference` macro-F1
# (95 % {result}`sae_against_baselines.against_random.interval`); the random dictionary reaches
# {result}`sae_against_baselines.control_mean.random dictionary`, the language model with random weights
# {result}`sae_against_baselines.control_mean.random language model`. Where that difference is not above zero, what a
# probe scores on SAE features is owed to the language model, not to the dictionary: what the SAE adds is
# latents that can be named, not accuracy.

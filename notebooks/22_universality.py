# needs: others
# %% [markdown]
# # Do other models learn the same features?
#
# SAEs that differ in their seed alone share part of their latents. Do SAEs of *different models* learn the same
# features? Their latents live in spaces of other sizes and cannot be compared by cosine. But all models can read the same texts:
# a latent of one is paired with the latent of the other that fires most like it (a correlation above {result}`universality.least_correlation`, each latent once), and then the *geometry* is compared
# {cite}`lan2024`. Are latents that lie close together in one model's space close together in the other's, too?
#
# What came out: {result}`universality.sentences.main` {result}`universality.sentences.controls`
#
# :::{admonition} Before you read
# :class: before
# You know decoder rows and matching (the chapter on two seeds) and what a permuted pairing is for. About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_texts = 2000
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import universality

plots.style()

# %%
study = universality.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## Two measures, and what they give for nothing
#
# {term}`SVCCA` turns both sets of decoder rows until they fit each other best and asks how well they correlate. {term}`RSA` asks whether
# the pairs that are similar in one space are similar in the other. Both read {result}`universality.main.n_pairs` pairs
# of latents here. {result}`universality.sentences.read` With few pairs and many dimensions SVCCA is far above zero for
# nothing: a *permuted* pairing gives {result}`universality.main.svcca.null` here. So what counts is the excess over it. An SAE
# against itself has SVCCA {result}`universality.itself.svcca.value` and RSA {result}`universality.itself.rsa.value`.
#
# ## Every layer against every layer
#
# ::::{admonition} Predict before you look
# :class: predict
# Two models, trained apart, read the same tokens. Latents that fire alike are paired. Will the geometry of their decoders be alike too,
# beyond what any pairing of that many rows gives?
#
# :::{dropdown} What came out
# {result}`universality.sentences.main`
# :::
# ::::

# %%
study.figure()

# %%
study.rsa_figure()

# %% [markdown]
# {result}`universality.sentences.grid`
#
# ## Is it what the SAEs learned?
#
# A random dictionary's latents fire on tokens, too, and find partners; so do those of an SAE that learned a model with random
# weights, because tokens that look alike are alike to any model. What they reach is what this method finds without learning. They
# are compared by RSA: SVCCA depends on how many pairs there are.

# %%
study.controls_figure()

# %% [markdown]
# "Not told apart" is not "equal": the fewer the pairs, the wider the interval.
#
# ## Marks, single words, and latents that are no concept
#
# A latent that fires on full stops finds its like in every model, and says little of what either knows. The paper leaves out pairs
# that have a mark, a line break or a special token among the {result}`universality.strongest` tokens on which a latent fires most,
# and keeps those whose tokens overlap. Here special tokens are never read, a mark is any word without a letter or a digit, and each
# rule stands beside all pairs. Leaving out single words is this project's own rule: a latent whose
# {result}`universality.strongest` strongest words are one and the same may be a lookup of that word.

# %%
study.filters_table()

# %% [markdown]
# {result}`universality.sentences.filters`
#
# ## Kinds of meaning
#
# The paper finds subspaces of months or emotions more alike than random subsets. Where factors are known, a pair's kind is that of
# the factor that its first latent tracks. On real words it is a list of words, this project's own: {result}`universality.majority`
# of the first latent's {result}`universality.strongest` strongest words are in it. Where a small model has too few such latents, two
# layers of one model stand beside. Any other subset of as many pairs is the measure of what is expected: with no more pairs than
# dimensions SVCCA is one for any pairing.

# %%
study.kinds_table()

# %% [markdown]
# {result}`universality.sentences.kinds`
#
# ## All numbers, and what the paper's code computed

# %%
study.table()

# %% [markdown]
# The column *one component* is what the published values are to be held against. The released code means to keep as many
# components as hold 99 % of the variance; but it compares a share with .99 of the total, which no share reaches, and so keeps
# one. What it calls SVCCA is the correlation of the first components alone. Theory says what a permuted pairing of M pairs then
# gives, $\sqrt{2 / (\pi M)}$, and the published permuted values, {published}`universality.null.low` to
# {published}`universality.null.high`, are of that size. {result}`universality.sentences.one_component` The published best, of
# Pythia-70M against Pythia-160M, are SVCCA {published}`universality.svcca.best` and RSA {published}`universality.rsa.best`.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: the measure against its null
# :class: exercise
# `study.summary()["grid"]` has, for each pair of layers, `svcca` and `rsa` with `value` and `null` (permuted pairings). Make a table with
# both. Which of the two measures is high for nothing?
# :::

# %% tags=["solution"]
import pandas as pd

grid = study.summary()["grid"]
rows = {(pair["first"], pair["second"]): {f"{name}, {what}": pair[name][what] for name in ("svcca", "rsa") for what in ("value", "null")} for pair in grid}
pd.DataFrame(rows).T.round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: how many pairs?
# :class: exercise
# SVCCA of few pairs is high whatever they are: with as many dimensions as pairs it is one. Look at `n_pairs` beside the null of SVCCA. Do
# they go together?
# :::

# %% tags=["solution"]
counts = pd.DataFrame([{"pairs": pair["n_pairs"], "null of SVCCA": pair["svcca"]["null"], "excess": pair["svcca"]["excess"]} for pair in grid])
print(f"Spearman's rank correlation of pairs and null: {counts['pairs'].corr(counts['null of SVCCA'], method='spearman'):+.2f}")
counts.sort_values("pairs").round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} An SVCCA of .6 is published. What must you know to read it?
# How many pairs and dimensions it was computed on, and what a permuted pairing of the same rows gives. Without the null it says nothing.
# :::
#
# :::{dropdown} Why is an identical model part of the table?
# A measure that does not give one for the same space twice measures something else.
# :::
#
# :::{dropdown} Why correct for the number of layer pairs?
# With many pairs, some lie above any bar by chance. The correction bounds the share of false discoveries among those called significant.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Never report a similarity without what a permuted pairing gives. {result}`universality.sentences.main`
# :::

# needs: others
# %% [markdown]
# # Do other models learn the same features?
#
# SAEs that differ in their seed alone share part of their latents. What of SAEs of *different models*? If both have a latent for
# "months", and latents for single months close to it, something about language was found, not about one model. But their latents live in
# spaces of other sizes and cannot be compared by cosine. So both models read the same texts, latents that fire alike are paired, and
# then the *geometry* is compared {cite}`lan2024`. Are latents that lie close together in one model close in the other?
#
# **The answer** (SVCCA and RSA are two measures of how alike two spaces are; *permuted* is what they give where latents are paired at
# random): {result}`universality.sentences.main`
#
# {result}`universality.sentences.controls`
#
# :::{admonition} Before you read
# :class: before
# You know decoder rows and matching (the chapter on two seeds) and what a permuted pairing is for. About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **Pairs.** {result}`universality.sentences.read` Each latent of one SAE is paired with the latent of the other whose activations correlate
# most with its own over these. The correlation has to be above {result}`universality.least_correlation`, each latent is used once,
# and latents that hardly ever fire are left out.
#
# **Geometry.** A latent's place in its model's space is its {term}`decoder` row. The two measures below compare the rows of all pairs.
#
# **The null.** In a *permuted pairing* the same rows are paired at random. What a measure gives then is what it gives for nothing. The
# {term}`excess` is what it gives beyond that.
#
# **Intervals.** Those of an excess are 95 % of many permuted pairings. Those of differences between SAEs are over pairs of latents. Where
# some pairs are held against as many drawn from all, they are over these draws. None says what other seeds or other models would have
# given.
#
# **Many pairs of layers** are compared, and some would lie above a permuted pairing by chance. The count below is corrected for that:
# of the pairs that are called above it, at most one in twenty is expected to be so by chance (a {term}`false-discovery rate` of 5 %, by
# Benjamini and Hochberg).

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
# of latents here.
#
# With few pairs and many dimensions there is always some way to turn two sets of rows so that they fit. So SVCCA is far above zero for
# nothing: a *permuted* pairing gives {result}`universality.main.svcca.null` here. What counts is the excess over it. An SAE against
# itself has SVCCA {result}`universality.itself.svcca.value` and RSA {result}`universality.itself.rsa.value`.
#
# ## Every layer against every layer
#
# So far it was one layer of each model. Now every layer of one is held against every layer of the others, first by SVCCA, then by RSA.
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

# %% [markdown]
# :::{div} caption
# A column is one layer of the first model, a row one layer of another. The number is the excess of SVCCA over a permuted pairing; yellow
# is high. Look whether each column is highest at a row of like depth.
# :::

# %%
study.rsa_figure()

# %% [markdown]
# :::{div} caption
# The same cells by RSA, whose numbers and colours have another scale. Compare the pattern, not the size: is a pair of layers that stands
# out by one measure also high by the other?
# :::
#
# {result}`universality.sentences.grid`
#
# ## Is it what the SAEs learned?
#
# A {term}`random dictionary`'s latents fire on tokens, too, and find partners. So do those of an SAE that learned a model with random
# weights, because tokens that look alike are alike to any model. What they reach is what this method finds without learning. They are
# compared by RSA, since SVCCA depends on how many pairs there are.

# %%
study.controls_figure()

# %% [markdown]
# :::{div} caption
# A mark is RSA against the other model, with 95 % over pairs of latents; the upright line is zero, no likeness at all. Look how far right
# of the controls the trained SAE lies. Bars may overlap: differences have intervals of their own, said below.
# :::
#
# {result}`universality.sentences.controls` "Not told apart" is not "equal": the fewer the pairs, the wider the interval.
#
# ## Marks, single words, and latents that are no concept
#
# A latent that fires on full stops finds its like in every model, and says little of what either knows. Does what is alike come from
# such latents? Three rules leave some pairs out, and each stands beside all pairs.
#
# - *No mark*: no latent of the pair has a punctuation mark, a line break or a special token among the
#   {result}`universality.strongest` tokens on which it fires most. The paper does so. Here special tokens are never read, and a mark is
#   any word without a letter or a digit.
# - *As published*: of these, the pairs whose strongest tokens overlap.
# - *No mark and no single word*: a latent whose {result}`universality.strongest` strongest words are one and the same may be a lookup of
#   that word. This rule is this project's own.
#
# Fewer pairs change a measure by themselves, so each rule is also held against as many pairs drawn from all.

# %%
study.filters_table()

# %% [markdown]
# {result}`universality.sentences.filters`
#
# ## Kinds of meaning
#
# The paper finds subspaces of months or emotions more alike than random subsets. Is it so here? Where {term}`factors <factor>` are
# known, a pair's kind is that of the factor that its first latent tracks. On real words a kind is a list of words, this project's own:
# a pair belongs to it if {result}`universality.majority` of the first latent's {result}`universality.strongest` strongest words are in
# it. Where a small model has too few such latents, two layers of one model stand beside.
#
# What is expected is measured by any other subset of as many pairs. With no more pairs than dimensions SVCCA is one for any pairing.

# %%
study.kinds_table()

# %% [markdown]
# {result}`universality.sentences.kinds`
#
# ## All numbers, and what the paper's code computed
#
# The table has all measures of all pairs of layers. *One component* is explained below it.

# %%
study.table()

# %% [markdown]
# **What the paper said.** The published best, of Pythia-70M against Pythia-160M, are SVCCA {published}`universality.svcca.best` and RSA
# {published}`universality.rsa.best`. The column *one component* is what the published SVCCA is to be held against.
#
# SVCCA first keeps the components that hold most of the variance. The released code means to keep as many as hold 99 % of it. But it
# compares a share with .99 of the total, which no share reaches, and so keeps one. What it calls SVCCA is the correlation of the first
# components alone. Theory says what a permuted pairing then gives: $\sqrt{2 / (\pi M)}$ on average, where $M$ is the number of pairs.
# The published permuted values, {published}`universality.null.low` to {published}`universality.null.high`, are of that size.
# {result}`universality.sentences.one_component`
#
# **What could be wrong.** Pairs are chosen because they fire alike, so latents without a like are not compared at all. Models that
# learned from the same texts, or have one tokenizer, may be alike for that. And each model is read by one SAE a layer: another seed
# would give other pairs.

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

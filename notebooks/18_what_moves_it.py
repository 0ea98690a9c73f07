# needs: sweep
# %% [markdown]
# # What moves agreement
#
# Two seeds share part of their latents. How large a part is no law of nature: it may depend on how the SAEs were made. Suppose
# someone reports that half of the latents are shared. Before you compare that with your own SAEs, you would ask for their
# width, their sparsity and how long they trained. Here one of these is changed at a time.
#
# **The answer** (k is how many latents are active per token; the shared fraction is the share of latents that two seeds have in
# common): {result}`what_moves_it.sentences.k` {result}`what_moves_it.sentences.tokens`
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction (the chapter on two seeds). About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The base** is one SAE setting: {result}`what_moves_it.sentences.read`. One thing at a time is changed from there: the width, the
# number of active latents (k), the training tokens, the layer, the architecture.
#
# **The seeds.** Every setting was trained from a few seeds on one stream of activations, {result}`what_moves_it.n_saes` SAEs in all;
# {result}`what_moves_it.sentences.batches`.
#
# **The number** is the shared fraction of the chapter on two seeds: the share of latents whose encoder and decoder both find the
# same partner with a cosine of at least 0.7. Dots are means over pairs of seeds.
#
# **Intervals** are 95 % over SAEs, each left out in turn with all its pairs. Most settings have few SAEs, which leaves bands wide.
# A difference of two settings has the errors of both.
#
# **Published values**, hollow, stand beside on an axis of their own {cite}`paulo2025`. Their SAEs are of another size, so compare
# the direction, not the height.

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import what_moves_it

plots.style()

# %%
study = what_moves_it.run(profile, device=device)
study.record();

# %% [markdown]
# ## Width
#
# The width is the number of latents in the SAE. With more of them, each can stand for something narrower, and there may be more ways to
# divide.

# %%
study.along("width")

# %% [markdown]
# :::{div} caption
# Left, this run: the share of latents that two seeds have in common, and the mean cosine of matched latents, each with its own chance in
# grey. Right, hollow: published shares. Does *shared* move by more than its band is wide, and do both panels go one way?
# :::
#
# {result}`what_moves_it.sentences.width`
#
# ## Active latents
#
# A TopK SAE keeps the k largest latents of each token and sets all others to zero. A small k is a sparse SAE.
#
# ::::{admonition} Predict before you look
# :class: predict
# If more latents may be active on each token, will two seeds agree more or less?
#
# :::{dropdown} What came out
# {result}`what_moves_it.sentences.k`
# :::
# ::::

# %%
study.along("k")

# %% [markdown]
# :::{div} caption
# From left to right each token has more active latents. How much of each coloured line's lead over its own grey line of chance is left at
# the right end, and do the hollow, published shares go the same way?
# :::
#
# {result}`what_moves_it.sentences.k` With few active latents many may never fire, and a {term}`dead latent` is
# shared with nothing. So where the fraction among those that do fire (*alive only*) differs, it is drawn beside.
#
# ## Training tokens
#
# If SAEs disagree because they are not yet finished, more training should bring them together.

# %%
study.along("tokens")

# %% [markdown]
# :::{div} caption
# From left to right, longer training. Does *shared* still climb at its right end, or has it levelled off? Where the pale line, *alive
# only*, lies higher, part of the difference is latents that never fire.
# :::
#
# {result}`what_moves_it.sentences.tokens` The mean cosine of matched latents alone would not tell an untrained pair from a trained
# one: chance is far from zero.
#
# ## Layer

# %%
study.along("layer")

# %% [markdown]
# :::{div} caption
# Each place on the axis is another layer of the model, whose SAEs were trained alike. Look where *shared* is highest, and whether its band
# there clears those of its neighbours; the published model, right, has more layers.
# :::
#
# {result}`what_moves_it.sentences.layer`
#
# ## Architecture
#
# Architectures differ in how they decide which latents are active. TopK keeps the k largest of each token, BatchTopK as many on
# average over a batch, ReLU all that are above zero. JumpReLU learns a threshold for each latent, a gated SAE a gate of its own.
# An architecture may be sparser than another, and sparsity moves agreement by itself. So architectures are compared twice: at
# equal sparsity ({term}`L0`) *and* at equal reconstruction ({term}`fraction of variance unexplained`, FVU).

# %%
study.architectures("l0")

# %% [markdown]
# :::{div} caption
# Each mark is one architecture, by its sparsity (across) and the share that its seeds have in common (up), with 95 % intervals. The line
# joins TopK SAEs. Look for marks above it: these agree more than a TopK SAE of the same L0 would.
# :::

# %%
study.architectures("fvu")

# %% [markdown]
# :::{div} caption
# The same SAEs by what they leave unexplained: the further left, the better the reconstruction. A mark above the line agrees more than a
# TopK SAE that reconstructs as well. Are they the same marks as in the figure before?
# :::

# %%
study.table()

# %% [markdown]
# ## What it says
#
# {result}`what_moves_it.sentences.width` {result}`what_moves_it.sentences.k` {result}`what_moves_it.sentences.tokens`
#
# {result}`what_moves_it.sentences.layer`
#
# {result}`what_moves_it.sentences.topk`
#
# **What the papers said.** On the order of architectures two papers disagree. Paulo and Belrose have TopK *below* ReLU and gated (GPT-2,
# decoder only: {published}`seeds.architecture.topk`, {published}`seeds.architecture.relu`,
# {published}`seeds.architecture.gated`). Song and others have TopK *above* gated and ReLU (Pythia, mean matched cosine:
# {published}`song.architecture.topk`, {published}`song.architecture.gated`, {published}`song.architecture.relu`)
# {cite}`song2025`. The two differ in model, hook, width, sparsity and measure. The question stands on the claims page as open.
#
# **What could be wrong.** One thing at a time is changed, so nothing is said of two changes together: more tokens may matter more for
# a wider SAE. And the sweep starts from one base; from another, the same change may do something else.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: agreement against reconstruction
# :class: exercise
# `study.summary()["settings"]` has, for each setting, `shared` (with its `mean`), `l0` and `fvu`. List the settings, the highest shared
# fraction first. Do SAEs that reconstruct better agree more?
# :::

# %% tags=["solution"]
import pandas as pd

settings = study.summary()["settings"]
table = pd.DataFrame({name: {"shared": found["shared"]["mean"], "L0": found["l0"], "FVU": found["fvu"]} for name, found in settings.items()}).T
print(f"Spearman's rank correlation of shared and FVU: {table['shared'].corr(table['FVU'], method='spearman'):+.2f}")
table.sort_values("shared", ascending=False).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: alive latents only
# :class: exercise
# A latent that never fires cannot be found again. Each setting has `alive`, the shared fraction among latents that fire, beside `shared` of
# all. For which settings does it change the picture?
# :::

# %% tags=["solution"]
alive = pd.Series({name: found["alive"]["mean"] for name, found in settings.items()})
dead = pd.Series({name: found["dead"] for name, found in settings.items()})
pd.DataFrame({"all": table["shared"], "alive": alive, "dead": dead}).assign(change=alive - table["shared"]).sort_values("change").round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why compare architectures at equal L0, or at equal FVU?
# Sparsity itself moves the agreement. Without holding it still, a difference between architectures may be one between sparsities.
# :::
#
# :::{dropdown} Three pairs of SAEs give a mean and an interval. Why is the interval so wide?
# Three pairs of three SAEs are not three independent measurements: each SAE is in two of them. The interval counts SAEs.
# :::
#
# :::{dropdown} Suppose more training tokens raise the agreement. Must it reach one in the end?
# Nothing says so. If several dictionaries fit the data equally well, seeds may settle on different ones, however long they train.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Name the sparsity, the width and the tokens with any number on agreement: each may move it.
# {result}`what_moves_it.sentences.k`
# :::

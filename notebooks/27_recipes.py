# needs: seeds, recipes
# %% [markdown]
# # Do other recipes agree more?
#
# SAEs of one recipe that differ in their seed alone share part of their latents. Is that the fate of SAEs, or of the recipe? Here
# are three more: Llama Scope's ({term}`K annealing`, then one threshold for all latents {cite}`he2024llamascope`),
# {term}`Matryoshka SAE`s, whose first latents have to reconstruct alone, and {term}`archetypal SAE`s, whose decoder rows have to
# stay near centroids of the data {cite}`fel2025`. All saw the same batches in the same order as TopK SAEs of as
# many latents; {result}`recipes.n_seeds` seeds each.
#
# What came out: {result}`recipes.sentences.agree` {result}`recipes.sentences.archetypal`
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction ([chapter 17](17_two_seeds)) and what moves it (the chapter after it). About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_texts = 1000
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import recipes

plots.style()

# %%
study = recipes.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## What each recipe is worth
#
# L0, its standard deviation from token to token, the fraction of variance unexplained (FVU) and the share of dead latents are measured on
# {result}`recipes.n_tokens` tokens that none was trained on ({result}`recipes.texts`); *PW-MCC* is the mean cosine of matched decoder rows, *shared* the share of latents whose
# encoders and decoders both find the same partner, *order* the rank correlation of a latent's number with its
# partner's.

# %%
study.table()

# %% [markdown]
# {result}`recipes.sentences.comparable`
#
# ## Do their seeds agree more?
#
# Means over pairs of seeds with 95 % intervals over SAEs (each left out in turn), and what the best matching with a
# *random dictionary* gives.
#
# ::::{admonition} Predict before you look
# :class: predict
# Archetypal dictionaries tie each latent to averages of data, Matryoshka ones order theirs by use. Will their seeds agree more than those of
# a plain TopK SAE?
#
# :::{dropdown} What came out
# {result}`recipes.sentences.agree`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# {result}`recipes.sentences.both` {result}`recipes.sentences.shared` Dead latents count: one that never learned still has its
# centroid for a decoder row; *alive only* in the table leaves them out.
#
# Published are {published}`recipes.archetypal.stability` for archetypal dictionaries of vision models against
# {published}`recipes.topk.stability` {cite}`fel2025`; and, on synthetic data, {published}`recipes.toy.matryoshka_fixed.stability` for
# Matryoshka SAEs against {published}`recipes.toy.vanilla.stability` for plain ones {cite}`wang2025ordered`.
#
# An archetypal SAE starts at its centroids. If these are the same for every seed, as they are where they are computed once from the
# data, seeds agree before they learn anything. So both are shown: common centroids, and a k-means of every seed's own.
#
# ## An order of latents
#
# {result}`recipes.sentences.matryoshka` Level by level, a Matryoshka SAE's seeds share:

# %%
study.levels_table()

# %% [markdown]
# ## Llama Scope's recipe
#
# {result}`recipes.sentences.conversion` TopK gives every token the same number of latents; a threshold gives some more, some fewer.

# %%
study.active_figure()

# %% [markdown]
# {result}`recipes.sentences.annealing` Both were trained without the auxiliary loss that revives dead latents, as in the paper; the
# TopK SAEs were trained with it.
#
# ## Do their probes agree more?
#
# The same probe on mean-pooled latents of every seed: {result}`recipes.sentences.probes` "Not told apart" is not "equal": with
# {result}`recipes.n_seeds` seeds the intervals are wide.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: agreement has a price
# :class: exercise
# `study.summary()["recipes"]` has for each recipe `pw_mcc`, `shared`, `fvu`, `dead` and `macro_f1`, each with a mean. Make one table, the
# highest PW-MCC first. What does agreement cost?
# :::

# %% tags=["solution"]
import pandas as pd

recipes = study.summary()["recipes"]
columns = ("pw_mcc", "shared", "fvu", "dead", "macro_f1")
table = pd.DataFrame({key: {column: (found.get(column) or {}).get("mean") for column in columns} for key, found in recipes.items()}).T
table.astype(float).sort_values("pw_mcc", ascending=False).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: two measures of agreement
# :class: exercise
# PW-MCC looks at decoders alone; a *shared* latent needs the encoder as well. Rank the recipes by both. Where do they disagree?
# :::

# %% tags=["solution"]
ranks = table[["pw_mcc", "shared"]].astype(float).rank(ascending=False)
ranks.assign(**{"places apart": (ranks["pw_mcc"] - ranks["shared"]).abs()}).sort_values("places apart", ascending=False)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Suppose the centroids of two draws agree already. What follows for archetypal SAEs?
# Part of their agreement is there before anything is learned. It must be compared with that, and not with zero.
# :::
#
# :::{dropdown} Why hold L0 and FVU near each other before comparing agreement?
# Both move agreement by themselves. A recipe that reconstructs worse may agree more for that reason alone.
# :::
#
# :::{dropdown} What is a dead latent, and why does K annealing leave fewer of them, if it does?
# One that never fires. With more active latents at the start, each gets gradients early and is less likely to be left behind.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A recipe that makes decoders agree need not make latents agree. {result}`recipes.sentences.both`
# :::

# needs: seeds, recipes
# %% [markdown]
# # Do other recipes agree more?
#
# SAEs of one recipe that differ in their seed alone share part of their latents. Is that the fate of SAEs, or of the recipe? If a
# recipe gave the same latents with every seed, a latent named once would be named for good. Three more recipes are tried: Llama
# Scope's {cite}`he2024llamascope`, {term}`Matryoshka SAE`s, and {term}`archetypal SAE`s {cite}`fel2025`. The last tie each latent
# to averages of the data. Do their seeds agree more than those of a plain TopK SAE?
#
# **The answer** (the *mean matched cosine* would be 1 if seeds had the same decoder rows): {result}`recipes.sentences.agree`
#
# {result}`recipes.sentences.archetypal`
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction ([chapter 17](17_two_seeds)) and what moves it (the chapter after it). About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The recipes.**
#
# - *TopK* keeps the k largest latents of each token, *BatchTopK* as many on average over a batch.
# - *Llama Scope*: {term}`K annealing`, then one threshold for all latents in the place of TopK. *K not annealed* leaves out the first.
# - *Matryoshka*: the SAE's first latents have to reconstruct alone, as well as all together.
# - *Archetypal*: decoder rows have to stay near centroids of the data, which are means of groups of tokens that lie together (k-means).
#   *Common centroids* are the same for every seed; otherwise each seed has its own.
#
# **The seeds.** Each recipe has {result}`recipes.n_seeds`. All SAEs saw the same batches in the same order as TopK SAEs of as many latents.
#
# **Two measures of agreement.** {term}`PW-MCC` is the mean cosine of matched decoder rows. The *shared fraction* is the share of latents
# whose encoders and decoders both find the same partner ({term}`shared latent`).
#
# **Intervals** are 95 % over SAEs, each left out in turn with all its pairs. With few seeds they are wide.

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
# A recipe could agree more because it learns less. So the table first has what each SAE is worth, on {result}`recipes.n_tokens` tokens
# that none was trained on ({result}`recipes.texts`): {term}`L0` and its standard deviation from token to token, the
# {term}`fraction of variance unexplained` (FVU), and the share of {term}`dead latents <dead latent>`. Then come PW-MCC and the
# shared fraction. *Order* is the rank correlation of a latent's number with its partner's.

# %%
study.table()

# %% [markdown]
# {result}`recipes.sentences.comparable`
#
# ## Do their seeds agree more?
#
# Two seeds of a recipe are matched, and both measures are taken, as means over pairs of seeds. Chance is the best matching with a
# {term}`random dictionary`.
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
# :::{div} caption
# Each recipe has two marks: a triangle for the mean matched cosine, whose chance is the grey tick, and a dot for the share of shared
# latents. Bars are 95 % over SAEs. Look whether the recipes furthest right by triangles are so by dots.
# :::
#
# {result}`recipes.sentences.both`
#
# {result}`recipes.sentences.shared` Dead latents count: one that never learned still has its centroid for a decoder row; *alive only* in
# the table leaves them out.
#
# **What the papers said.** Published are {published}`recipes.archetypal.stability` for archetypal dictionaries of vision models against
# {published}`recipes.topk.stability` {cite}`fel2025`; and, on synthetic data, {published}`recipes.toy.matryoshka_fixed.stability` for
# Matryoshka SAEs against {published}`recipes.toy.vanilla.stability` for plain ones {cite}`wang2025ordered`.
#
# **What could be wrong.** An archetypal SAE starts at its centroids. If these are the same for every seed, as they are where they are
# computed once from the data, seeds agree before they learn anything. So both are shown: common centroids, and a k-means of every
# seed's own. And recipes that are not comparable in L0 or FVU may differ in agreement for that alone.
#
# ## An order of latents
#
# Latents of a TopK SAE have no order: their numbers mean nothing. A Matryoshka SAE's first latents have to do most. Are they, then, the
# same ones with each seed? {result}`recipes.sentences.matryoshka` Level by level, a Matryoshka SAE's seeds share:

# %%
study.levels_table()

# %% [markdown]
# ## Llama Scope's recipe
#
# TopK gives every token the same number of latents. After training, Llama Scope puts a threshold in its place, which gives some tokens more
# and some fewer. What does this conversion cost? {result}`recipes.sentences.conversion`

# %%
study.active_figure()

# %% [markdown]
# :::{div} caption
# A line is the first seed of one recipe: how large a share of tokens (up) has at most so many active latents (across). A sheer step means
# that every token has the same number; the gentler a line climbs, the more tokens differ.
# :::
#
# {result}`recipes.sentences.annealing` Both were trained without the auxiliary loss that revives dead latents, as in the paper; the
# TopK SAEs were trained with it.
#
# ## Do their probes agree more?
#
# If latents agree more, probes on them might, too. The same {term}`probe` reads mean-pooled latents of every seed:
# {result}`recipes.sentences.probes` "Not told apart" is not "equal": with {result}`recipes.n_seeds` seeds the intervals are wide.

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

# needs: seeds
# %% [markdown]
# # Many seeds: what is always found, what only once
#
# Two SAEs give one number: the share of latents that both have. With more SAEs each latent can be asked in how many it is. Suppose
# a latent of yours is in three of ten SAEs. Is it one of many such? Or are most latents found either by every seed or by their
# own alone? Paulo and Belrose trained nine SAEs {cite}`paulo2025`. Their counts make a U: most latents are in all SAEs or in
# only one.
#
# **The answer.** {result}`many_seeds.sentences.shape`
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction ([chapter 17](17_two_seeds)). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The SAEs.** Read here: {result}`many_seeds.sentences.read`. They differ in their seed alone.
#
# **Membership.** Take one SAE as the reference. The {term}`membership` of its latent is the number of SAEs that have it: the reference
# itself, and every other in which it has a shared partner. It is counted pairwise with the reference. That A has a latent of B, and B
# one of C, does not make A have it. Each SAE in turn is the reference, and the counts are means over references.
#
# **Chance.** As many {term}`random dictionaries <random dictionary>` are counted in the same way.
#
# **Intervals** are 95 % and cover two: one over latents, where a latent that several SAEs share is drawn once, with all of them; and
# one over SAEs. Of the counts in the first figure the latter is over references. Of all that is said of their shape, each SAE is left
# out in turn, as a reference and as a partner. The interval of triangles is over SAEs alone.

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import many_seeds

plots.style()

# %%
study = many_seeds.run(profile, device=device)
study.record();

# %% [markdown]
# ## In how many of {result}`many_seeds.n_seeds` SAEs?
#
# Each latent is counted once, by the number of SAEs that have it. The published counts are of one reference among nine SAEs of 32k
# latents.
#
# ::::{admonition} Predict before you look
# :class: predict
# A U would mean that latents are found by nearly all SAEs or by just one. Will it be a U?
#
# :::{dropdown} What came out
# {result}`many_seeds.sentences.shape`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# A mark is the share of latents that are in exactly so many SAEs: at the left end in one alone, at the right end in all. For a U the line
# has to rise again on the right. Dashed are random dictionaries, hollow marks the published counts.
# :::
#
# Is it a U? Two things must hold. More latents are in *all* SAEs than in the average number between one and all; without this it is an
# L, which has no right end. And the two ends together hold *most* latents. Each has an interval as above, and it is the interval that
# decides. {result}`many_seeds.sentences.shape`
#
# ## The whole curve of thresholds
#
# Shared means a cosine of at least 0.7, and the shape depends on that. Here is the same count at other thresholds:

# %%
study.at_thresholds()

# %% [markdown]
# :::{div} caption
# One row is one threshold, from lenient at the top to strict. Its numbers, which sum to one, are the shares of latents in exactly one
# SAE, in two, and so on. Look at which end of each row most latents are.
# :::
#
# Move the slider, by mouse or by the arrow keys. Is there a threshold at which most latents are in all SAEs and random
# dictionaries still share nothing?

# %%
study.threshold_slider()

# %% [markdown]
# :::{div} caption
# The lines are shares of latents: those that all SAEs have, those that only one has, and, dashed, the latter among random dictionaries.
# While the dashed line is at the top, these share nothing. The marks follow the slider; the sentence reads them out.
# :::
#
# ## Would more seeds find everything?
#
# Each further SAE is one more chance for a latent to be found again. So the share of latents that only one of $S$ SAEs has falls as
# $S$, the number of SAEs, grows. Does it fall to nothing? A curve $a S^b + c$ is fitted to it. Here $a$ is how high the curve starts,
# $b$ (below zero) how fast it falls, and $c$ is the floor: what would stay the property of a single SAE however many were trained.
# It may come out at zero, or below.
#
# The same curve is also fitted with $c = 0$. A curve with one more free number always fits better. So both are fitted to the
# smaller numbers of SAEs alone, and asked to predict the largest. {result}`many_seeds.sentences.floor`
#
# Published (nine seeds, fitted for this project from the authors' values): c = {published}`seeds.floor.c`. The constant is read far
# outside the data, as far as the power law holds. Latents that one SAE in a hundred finds again look, among so few, as if none did.

# %%
study.more_seeds()

# %% [markdown]
# :::{div} caption
# A mark is the share of latents that only one of so many SAEs has. Both fits, the lines without marks, are carried on to twice as many
# SAEs: look how far apart they end. Grey dashes are random dictionaries, hollow marks published.
# :::
#
# ## Around a triangle
#
# Here is a measure without a threshold. Follow a latent from SAE A to its decoder partner in B, and from there to that one's partner in
# C. Is this also the latent's own partner in C? If so, the triangle closes.

# %%
study.table()

# %% [markdown]
# ## What it says
#
# {result}`many_seeds.only_one` of the latents are in one SAE only, {result}`many_seeds.all` in all
# {result}`many_seeds.n_seeds`. {result}`many_seeds.sentences.shape`
#
# {result}`many_seeds.sentences.floor`
#
# {result}`many_seeds.sentences.triangles` (Published: {published}`seeds.cycle.mean`.)
#
# **What could be wrong.** Membership depends on the threshold and on the number of SAEs: among more of them, fewer latents are in all. A
# latent that another seed has in two parts counts as missing there. And the floor is a reading of one law; nothing says that the law
# is the true one.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: what a second seed is worth
# :class: exercise
# `study.summary()["only_in_one"]` gives, for a number of SAEs, the share of latents that are in one of them alone. How much does each
# further SAE lower it? Would you stop at four?
# :::

# %% tags=["solution"]
import pandas as pd

alone = pd.Series({int(n): share for n, share in study.summary()["only_in_one"].items()}).sort_index()
pd.DataFrame({"in one alone": alone, "lower by": -alone.diff()}).rename_axis("SAEs").round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: agreement that does not close
# :class: exercise
# If latent $a$ matches $b$ and $b$ matches $c$, must $a$ match $c$? `study.triangles` has, for each triple of SAEs, the share of latents whose
# partners close. Show its spread over the triples, beside chance.
# :::

# %% tags=["solution"]
closed, chance = pd.Series(study.triangles), pd.Series(study.chance_triangles)
pd.DataFrame({"triangles that close": closed.describe(), "by chance": chance.describe()}).loc[["count", "mean", "min", "max"]].round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why does the share of latents found in one SAE alone fall as seeds are added?
# Each new SAE is one more chance to find a partner. The question is whether it falls to zero or to a floor.
# :::
#
# :::{dropdown} Why is a law fitted with a floor and without one, and both asked to predict the largest numbers?
# A law with one more free number always fits better. Predicting points it was not fitted to is a fair test.
# :::
#
# :::{dropdown} What would a random dictionary's latents do in this chapter's figure?
# Nearly all would be in one alone: no other random dictionary has them. That is the control for matching by luck.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Two seeds show that latents differ; many show how the list of latents grows. {result}`many_seeds.sentences.floor`
# :::

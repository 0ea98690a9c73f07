# needs: seeds
# %% [markdown]
# # Many seeds: what is always found, what only once
#
# Two SAEs give one number. With more, each latent of a reference SAE can be asked in how many of the others it has a
# shared partner. Paulo and Belrose's nine SAEs {cite}`paulo2025` gave a U: most latents are in all of them or in only one.
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction ([chapter 17](17_two_seeds)). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# Read here: {result}`many_seeds.sentences.read`.

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
# Each SAE in turn is the reference; dots are means over references, bands 95 %. Membership is counted pairwise with the
# reference: that A has a latent of B and B one of C does not make A have it. Random dictionaries have all their latents to
# themselves. The published counts, hollow, are of one reference among nine SAEs of 32k latents.
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
# Is it a U? The sentence has two parts, and both must hold: more latents are in *all* SAEs than in the average number between
# (an L has no right end), and the two ends together hold *most*. Each part has an interval over latents (a latent that
# several SAEs share is drawn once, with all of them) and one over SAEs (each left out, as a reference and as a partner); what
# covers both decides. {result}`many_seeds.sentences.shape`
#
# ## The whole curve of thresholds
#
# The same count at other thresholds: the shape hangs on 0.7.

# %%
study.at_thresholds()

# %% [markdown]
# Move the slider, by mouse or by the arrow keys. Is there a threshold at which most latents are in all SAEs and random
# dictionaries still share nothing?

# %%
study.threshold_slider()

# %% [markdown]
# ## Would more seeds find everything?
#
# The share of latents that only one of $S$ SAEs has falls as $S$ grows. Fitted by $a S^b + c$, the constant $c$ is what
# would stay the property of a single SAE however many were trained; it may come out at zero, or below. Published (nine seeds,
# fitted for this project from the authors' values): c = {published}`seeds.floor.c`. The constant is read far outside the
# data, as far as the power law holds: latents that one SAE in a hundred finds again look, among so few, as if none did.

# %%
study.more_seeds()

# %% [markdown]
# ## Around a triangle
#
# A measure without a threshold: follow a latent's decoder partner from A to B to C; is it A's own partner in C?

# %%
study.table()

# %% [markdown]
# ## What it says
#
# {result}`many_seeds.only_one` of the latents are in one SAE only, {result}`many_seeds.all` in all
# {result}`many_seeds.n_seeds`. {result}`many_seeds.sentences.shape` {result}`many_seeds.sentences.floor`
# {result}`many_seeds.sentences.triangles` (Published: {published}`seeds.cycle.mean`.)

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

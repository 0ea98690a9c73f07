# needs: seeds
# %% [markdown]
# # Which latents are shared?
#
# Three questions to each latent of {result}`which_latents.n_seeds` SAEs: how often does it fire, can its firing be predicted
# from the tokens around it, and (in a world where that is known) does it track something true?
#
# :::{admonition} Before you read
# :class: before
# You know memberships ([chapter 19](19_many_seeds)). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# Read here: {result}`which_latents.sentences.read`. A latent that several SAEs have is no independent witness in each of
# them, and the latents of one SAE come from one seed: every interval covers one over latents, drawn with all their copies,
# and one over SAEs.

# %% tags=["parameters"]
profile = "mini"
n_texts = 6000
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import which_latents

plots.style()

# %%
study = which_latents.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## How often does it fire?
#
# All latents of all seeds: how often each fires on held-out tokens against how well it is matched in the other SAEs. A
# single line would hide the shape, so the whole plane is drawn. The two papers disagree here: one finds that frequent
# latents are shared and, beside them, a cloud of frequent orphans {cite}`paulo2025`; the other that rarer always means
# less consistent, by the mean matched cosine of five groups {cite}`song2025`, which is drawn below.

# %%
study.figure()
#
# ::::{admonition} Predict before you look
# :class: predict
# Which latents will several seeds find again: those that fire often, or the rare ones? Will an orphan be harder to predict from the tokens?
#
# :::{dropdown} What came out
# {result}`which_latents.sentences.frequency` {result}`which_latents.sentences.detection`
# :::
# ::::

# %%
study.consistency()

# %%
study.table()

# %% [markdown]
# {result}`which_latents.sentences.frequency`
#
# ## Can it be predicted?
#
# An LLM would be asked to explain each latent and to say from the explanation where it fires {cite}`paulo2024`. Here the
# explanation is counted: the log odds of the token a latent fires on and of the two before it, learned on one half of the
# texts. Its score is the balanced accuracy on the other half (0.5 is chance). Latents that fire fewer than
# {result}`which_latents.least` times in either half are not scored; the same rule holds for all.

# %%
study.prediction()

# %% [markdown]
# The published values are those of an LLM's explanations: a step between latents of one SAE and all others, then flat.
#
# ## Does it track something true?
#
# Only in the miniature is it known what its texts are about. For each latent, the area under the ROC curve of the factor
# it tracks best, averaged by membership; and, of the factors that some latent tracks, how many have a *shared* latent among
# those.

# %%
study.factors()

# %% [markdown]
# ## What it says
#
# {result}`which_latents.sentences.frequency`
#
# {result}`which_latents.sentences.detection`
#
# {result}`which_latents.sentences.factors`

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: frequency and agreement, latent by latent
# :class: exercise
# `study.frequency` is an array of SAEs by latents, `study.cosines[i, j]` each latent's cosine with its partner. For the first SAE, correlate
# how often a latent fires with its mean cosine over the other seeds (Spearman).
# :::

# %% tags=["solution"]
import numpy as np
from scipy.stats import spearmanr

others = [j for j in range(study.n_seeds) if j != 0]
mean_cosine = study.cosines[0, others].mean(axis=0)
rho, p = spearmanr(study.frequency[0], mean_cosine)
f"Spearman's rank correlation {rho:+.2f} over {len(mean_cosine)} latents"

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: orphans that are easy to predict
# :class: exercise
# `study.score` is how well each latent of the first SAEs is predicted (NaN where it fires too seldom). What share of all scored latents is
# predicted at .9 or better, and how many could not be scored?
# :::

# %% tags=["solution"]
import pandas as pd

score = pd.Series(study.score)
pd.Series({"scored": int(score.notna().sum()), "too rare": int(score.isna().sum()), "median": score.median(), "share at .9 or better": (score.dropna() >= 0.9).mean()}).round(3).to_frame("latents")

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Is an orphan an error of training?
# Not by that alone. It may track something real that other seeds cut in another way.
# :::
#
# :::{dropdown} Why does the explanation of another latent stand beside the score?
# It shows what is reached without knowing the latent. What an explanation is worth is what it adds to that.
# :::
#
# :::{dropdown} Rare latents agree less. Name two reasons that have nothing to do with meaning.
# They see fewer examples in training, so their direction is noisier; and their partner is estimated from fewer examples.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Compare shared latents and orphans at equal rates of firing, and show what another latent's explanation gets.
# {result}`which_latents.sentences.frequency`
# :::

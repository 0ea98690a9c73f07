# needs: seeds
# %% [markdown]
# # Which latents are shared?
#
# Some latents are found by several seeds, others by one alone. What sets them apart? Suppose you keep only what several seeds
# find. You may lose the rare latents, or those that are hard to explain, or some that track something true. So each latent of
# {result}`which_latents.n_seeds` SAEs is asked three questions. How often does it fire? Can its firing be predicted from the tokens
# around it? And, in a world where that is known, does it track something true?
#
# **The answer** (a latent's {term}`mean matched cosine` says how well other seeds find it again; 1 would be exactly):
# {result}`which_latents.sentences.frequency` {result}`which_latents.sentences.shared`
#
# How well firing is predicted ({term}`balanced accuracy`; chance is one half): {result}`which_latents.sentences.detection`
#
# :::{admonition} Before you read
# :class: before
# You know memberships ([chapter 19](19_many_seeds)). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The SAEs.** Read here: {result}`which_latents.sentences.read`. They differ in their seed alone.
#
# **Shared or orphan.** A latent is {term}`shared <shared latent>` if at least one of the other SAEs has it, by the definition of
# [chapter 17](17_two_seeds): one partner by encoder and decoder, both cosines at least 0.7. It is an {term}`orphan` if none has.
# Beside this yes or no stands its *mean matched cosine*: the cosine of its {term}`decoder` row with its partner's, averaged over the
# other SAEs.
#
# **How many.** The question of firing is asked of all SAEs. Explanations and factors take longer and are asked of the first
# {result}`which_latents.detection.n_saes`. Of their latents {result}`which_latents.detection.n_shared` shared ones and
# {result}`which_latents.detection.n_orphan` orphans are scored; {result}`which_latents.detection.not_scored` fire too seldom for that.
#
# **Intervals.** A latent that several SAEs have is no independent witness in each of them, and all latents of one SAE come from
# one seed. So the intervals of differences, and of the groups by frequency, cover two. One is over latents: a latent and all its
# copies in other SAEs are drawn together. The other is over SAEs: each is left out in turn. The interval given reaches from the lower
# of their two lower ends to the higher of their two upper ends. In the two figures by membership intervals are over latents alone.

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
# Each latent has a share of held-out tokens on which it fires, and a mean matched cosine. Do they go together? A single line through the
# latents would hide their shape, so the whole plane is drawn. Chance is the mean matched cosine with a {term}`random dictionary`.
#
# The two papers disagree here. One finds that frequent latents are shared and, beside them, a cloud of frequent orphans
# {cite}`paulo2025`. The other finds that rarer always means less consistent {cite}`song2025`. It sorts latents into five groups of
# equal size, from rare to frequent, and takes each group's mean matched cosine. This is drawn below the plane. Steps between
# neighbouring groups are several, so the interval of the least step is wider: it answers for all of them at once (Bonferroni).
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
study.figure()

# %% [markdown]
# :::{div} caption
# Each cell counts latents of all seeds, on a log scale; yellow is many. Further right they fire on more tokens (−2 is one in a hundred),
# further up other seeds find them better again; dashed is chance. Look whether the cloud rises to the right. The height is a mean of
# decoder cosines and no yes or no: an orphan need not lie low. A cloud of frequent orphans matched by chance would be at the lower right.
# :::
#
# {result}`which_latents.sentences.orphans`

# %%
study.consistency()

# %% [markdown]
# :::{div} caption
# A mark is a fifth of all latents, from the rarest fifth to the most frequent, with a 95 % band. Where rarer always means less
# consistent, the line rises at every step. Hollow marks are published. The table below has the same five groups.
# :::

# %%
study.table()

# %% [markdown]
# {result}`which_latents.sentences.frequency`
#
# {result}`which_latents.sentences.shared` The two columns need not agree. The mean cosine averages the decoder's cosines over all other
# SAEs. Shared asks for one of them, by encoder and decoder: a latent with one good partner is shared, however poor the others are, and a
# latent with fair partners everywhere, all below 0.7, is an orphan.
#
# ## Can it be predicted?
#
# One would ask a large language model to explain each latent, and then to say from the explanation where it fires {cite}`paulo2024`.
# Here the explanation is counted. For the token on which a latent fires, and for each of the two before it, a table says how much
# more often that token stands there when the latent fires than when it is silent (as log odds). The table is learned on one half of
# some held-out texts (`n_texts` of them). On the other half the three entries of each token are added, and a sum above zero says
# "fires".
#
# The {term}`detection score` is the balanced accuracy of that: the mean of two shares, of firing tokens said to fire and of silent
# tokens said to be silent. 0.5 is chance. (It goes by tokens; *detection*, in [chapter 23](23_interpretation), goes by whole contexts.)
# Beside it stands what *another latent's explanation* gets, which shows what is reached without knowing the latent. Latents that fire
# fewer than {result}`which_latents.least` times in either half are not scored; the same rule holds for shared ones and orphans.

# %%
study.prediction()

# %% [markdown]
# :::{div} caption
# A mark is the mean detection score of latents of one {term}`membership`: those that exactly so many SAEs have, with a 95 % band. Dashed
# is what another latent's explanation gets. Look for a step from latents of one SAE to all others, as in the published values (hollow).
# :::
#
# ## Does it track something true?
#
# Only in the miniature is it known what its texts are about. Each text has {term}`factors <factor>`, such as a negation or an insult.
# A latent's best factor is the one whose texts it ranks highest above the others. It is chosen on one half of the texts, and its
# {term}`AUROC` is taken on the other half, so that a long search gains nothing. It is also counted in each SAE by itself, for every factor
# that some latent of it tracks, whether a *shared* latent is among those. Where several latents track a factor, chance alone gives it a
# shared one more often than the share of shared latents.

# %%
study.factors()

# %% [markdown]
# :::{div} caption
# A bar is the mean AUROC of latents that are in exactly so many SAEs, each with its best factor; whiskers are 95 % over latents. The axis
# begins at one half, which is guessing. Look whether bars grow to the right by more than the whiskers.
# :::
#
# ## What it says
#
# {result}`which_latents.sentences.frequency` {result}`which_latents.sentences.shared`
#
# {result}`which_latents.sentences.detection`
#
# {result}`which_latents.sentences.factors`
#
# **What could be wrong.** Shared latents and orphans are not made equal in how often they fire, so a difference of their scores may
# be one of their rates. Balanced accuracy counts firing and silent tokens alike, which lessens this and does not end it. A table of
# three tokens explains simple latents well and cannot explain one that needs more context. And "cannot be told apart" is not
# "equal": the interval says how large a difference may still be.

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
# :::{admonition} Exercise 2: how many latents are easy to predict
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
# :::{dropdown} Suppose rare latents agree less. Name two reasons that have nothing to do with meaning.
# They see fewer examples in training, so their direction is noisier. And a rare direction lowers the loss little, so which of them get a
# latent is more a matter of the start.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Compare shared latents and orphans at equal rates of firing, and show what another latent's explanation gets.
# {result}`which_latents.sentences.frequency`
# :::

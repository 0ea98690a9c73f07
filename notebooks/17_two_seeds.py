# needs: seeds
# %% [markdown]
# # Two seeds, one question
#
# Train the same {term}`sparse autoencoder` (SAE) twice. Give both the same activations in the same order. Change only the random
# numbers that they start from. Do they find the same latents? Suppose you have named a latent "insults" and built a finding
# on it. If a second run has no such latent, your finding depends on one draw of random numbers. Paulo and Belrose trained SAEs
# in this way and found that many latents are not found again {cite}`paulo2025`.
#
# **The answer.** {result}`two_seeds.sentences.minority`
#
# :::{admonition} Before you read
# :class: before
# You know that an SAE has an {term}`encoder` and a decoder ([chapter 3](03_text_to_features)), and what a cosine is. About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The SAEs.** Read here: {result}`two_seeds.sentences.read`. They differ in their seed alone.
# {result}`two_seeds.sentences.batches` The number above is the mean over all pairs of these SAEs. The figures below show one
# pair, seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b`.
#
# **Matching.** A {term}`latent` has two directions. Its encoder row is what it reads: it decides where the latent fires. Its
# {term}`decoder` row is what it writes back. A {term}`matching` gives each latent of one SAE one partner in the other, and no
# partner twice. Of all such pairings it is the one whose cosines have the largest sum. Decoder rows and encoder rows are
# matched separately.
#
# **Shared.** A latent is {term}`shared <shared latent>` when both matchings give it the same partner and both cosines are at
# least 0.7:
#
# $$
# \text{shared}_i = [P_\text{dec}(i) = P_\text{enc}(i)] \wedge \cos_\text{dec}(i, P(i)) \ge 0.7 \wedge
# \cos_\text{enc}(i, P(i)) \ge 0.7.
# $$
#
# Here $i$ is a latent of the first SAE. $P_\text{dec}(i)$ and $P_\text{enc}(i)$ are its partners by the decoders' and by the
# encoders' matching, and $P(i)$ is the one partner where they are the same. $\cos_\text{dec}$ and $\cos_\text{enc}$ are the
# cosines of the two latents' decoder rows and of their encoder rows; $\wedge$ means "and". The *shared fraction* is the share of
# such latents among all of them, also those that never fire.
#
# **Chance.** Matching always finds some partner, so two dictionaries that know nothing are matched in the same way. A
# {term}`random dictionary` has random rows. Two *untrained SAEs* have random rows as well, but encoder and decoder are the same,
# so that their two matchings agree without anything being learned. With *shuffled coordinates*, one of the two trained SAEs is
# turned in space: its rows keep their angles to each other and lose their directions.
#
# **Intervals** are 95 % over SAEs. Pairs that have an SAE in common are not independent, so each SAE is left out in turn with
# all its pairs, and the error is read off how much the mean moves (a {term}`jackknife`, with Student's t). The interval says what other
# seeds would have given. It says nothing of other models or other texts.

# %% tags=["parameters"]
profile = "mini"
tokens = 200_000  # that the two small SAEs are trained on
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import two_seeds

plots.style()

# %%
study = two_seeds.run(profile, tokens=tokens, device=device)
study.record();

# %% [markdown]
# ## From scratch, small enough to follow by eye
#
# Two SAEs of 32 latents are trained here and now, on the same {result}`two_seeds.by_eye_tokens` activations in the same order.
# They are so small that every latent can be seen; the answer above is not read from them. Their numbers mean nothing: latent 3 of one SAE
# has nothing to do with latent 3 of the other. So each row's partner has to be looked for.

# %%
study.by_eye_figure()

# %% [markdown]
# :::{div} caption
# Each row is a latent of one SAE, each column one of the other; the yellower, the larger the cosine of their decoder rows. Left, as
# trained. Right, each row's partner on the diagonal, the best pair on top: how far down does the diagonal stay yellow?
# :::
#
# ## All latents
#
# Now seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b`, with all their latents. Chance is far from zero: with so many
# directions to choose from, even random ones find a partner, with a mean cosine of {result}`two_seeds.chance_cosine`.
#
# ::::{admonition} Predict before you look
# :class: predict
# Two SAEs differ in their random start alone: same texts, same order, same recipe. What share of their latents will be the same?
#
# :::{dropdown} What came out
# {result}`two_seeds.sentences.minority`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# Bars count latents by the cosine of their decoder row with their partner's, split by whether the encoders were matched the same way. Only
# latents that agree, right of the dotted threshold, can be shared. Those left of the dashed line lie below the mean of chance.
# :::
#
# The definition as code, in three lines. The first asks for the same partner, the second for two cosines that are near enough,
# the third for the share of latents of which both are true:

# %%
pair = study.pair
same_partner = pair.decoder.partner == pair.encoder.partner
near = (pair.decoder.cosine >= 0.7) & (pair.encoder.cosine >= 0.7)
f"{(same_partner & near).mean():.3f} of {pair.n} latents are shared"

# %% [markdown]
# Would the threshold alone have been enough? Take the latents whose two matchings disagree, and ask whether the smaller of their
# two cosines is below 0.7 anyway. For this the SAEs are put into pairs that have none in common, so that each counts once. The
# interval is over these latents, exact for a share of so many.
# {result}`two_seeds.sentences.disagree`
#
# ## Every threshold
#
# 0.7 is a choice, so here is the shared fraction at every threshold. *All latents* is the pair above. *Alive only* matches again
# those latents alone that fire in held-out texts.
#
# The table has more of the same pair. *Equal partners* asks only that both matchings agree, whatever the cosines. {term}`PW-MCC` is the
# mean cosine of matched decoder rows; with *signs ignored*, a row and its opposite count as alike. For the *mean nearest cosine*
# each latent takes its nearest row in the other SAE, and several may take the same. The columns of chance are means over draws.

# %%
study.threshold_curves()

# %% [markdown]
# :::{div} caption
# Each line is the share of latents whose partners agree and whose cosines both reach the threshold below it. Grey are the three kinds of
# chance. Look for the threshold from which all grey lies at zero: how much do the two seeds still share there?
# :::
#
# ### Move the threshold
#
# Before you move the slider: how low must the threshold be until the dictionaries of chance share anything? Then compare with what they
# would share if partners did not have to agree.

# %%
study.threshold_slider()

# %% [markdown]
# :::{div} caption
# Each latent stands at the smaller of its two cosines. Move the upright line leftward and watch when it meets the outlines of chance. The
# sentence under the picture says what the two seeds share at every place.
# :::
#
# The same pair's figures at the threshold of 0.7, beside those of chance.

# %%
study.table()

# %% [markdown]
# ## Does the measure measure?
#
# Two controls have a known answer. A *permuted copy* has an SAE's latents in another order, and all must be found again. An
# *untrained pair* has learned nothing and must share nothing. A third control turns the question round: the *same* start with
# *other* texts. If the start decided everything, these SAEs would share nearly all.
#
# Intervals are over SAEs. Permuted copies and untrained pairs have no SAE in common: each is one draw, and the interval is over draws.

# %%
study.controls_table()

# %% [markdown]
# ## What it says
#
# Of {result}`two_seeds.n_latents` latents, seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b` share
# {result}`two_seeds.figures.shared_fraction`. {result}`two_seeds.sentences.minority` An untrained pair shares
# {result}`two_seeds.controls.untrained.shared`, a permuted copy {result}`two_seeds.controls.permuted.shared`.
# {result}`two_seeds.sentences.same_start`
#
# **What the paper said.** Published for 131k latents of Llama-3-8B is a shared fraction of
# {published}`seeds.shared.llama.N=131072`. Model, width, sparsity and training differ from those here, so the two numbers are not
# expected to be equal.
#
# **What could be wrong.** The fraction belongs to one setting of one model; the next chapters change the setting. It depends on
# the threshold, which is why the whole curve is shown. And it asks for one partner: where one seed has one latent and another
# seed has two for the same thing, at most one of the two can be its partner. A latent that is not shared need not be noise.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: another threshold
# :class: exercise
# The chapter counts a latent as shared at a cosine of .7. With `pair.decoder`, `pair.encoder` (each with `partner` and `cosine`), compute
# the shared fraction at .5, .6, .7, .8 and .9. Where does it fall fastest?
# :::

# %% tags=["solution"]
import numpy as np
import pandas as pd

lesser = np.minimum(pair.decoder.cosine, pair.encoder.cosine)
pd.Series({threshold: (same_partner & (lesser >= threshold)).mean() for threshold in (0.5, 0.6, 0.7, 0.8, 0.9)}, name="shared fraction").round(3).rename_axis("cosine at least").to_frame()

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: where the two matchings agree
# :class: exercise
# Each latent has a partner by the decoders' matching and one by the encoders'. For what share of the latents are these the same? Compare
# the mean decoder cosine of latents whose two matchings agree with that of the others.
# :::

# %% tags=["solution"]
cosine = pair.decoder.cosine
pd.DataFrame(
    {
        "both matchings agree": [same_partner.mean(), cosine[same_partner].mean()],
        "they do not": [(~same_partner).mean(), cosine[~same_partner].mean()],
    },
    index=["share of latents", "mean decoder cosine"],
).round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is the cosine of a random pair after matching not zero?
# Matching looks for the best partner among hundreds. In few dimensions even random directions have a near one.
# :::
#
# :::{dropdown} Why must encoder and decoder agree on the partner?
# The decoder says what a latent writes, the encoder when it fires. Two latents that write alike and fire at other times are not the same.
# :::
#
# :::{dropdown} Suppose the same start with other texts shared no more than other starts with the same texts. What would that say?
# That the start is not the only thing that leads two SAEs apart: the texts, and the noise of training, do so too. Here:
# {result}`two_seeds.sentences.same_start`
# :::
#
# :::{admonition} To take away
# :class: takeaway
# One SAE is one draw. Before you name a latent, ask whether another seed has it.
# {result}`two_seeds.sentences.minority`
# :::

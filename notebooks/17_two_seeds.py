# needs: seeds
# %% [markdown]
# # Two seeds, one question
#
# Train the same SAE twice, on the same activations in the same order, and change nothing but the random numbers it
# starts from. Does it find the same latents? Paulo and Belrose found that often it does not {cite}`paulo2025`.
#
# :::{admonition} Before you read
# :class: before
# You know that an SAE has an encoder and a decoder ([chapter 3](03_text_to_features)), and what a cosine is. About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# Read here: {result}`two_seeds.sentences.read`. {result}`two_seeds.sentences.batches` Intervals are 95 % over SAEs: each is
# left out in turn with all its pairs, since pairs that have an SAE in common are not independent.
#
# A latent has two directions: what it reads (its encoder's row) and what it writes (its decoder's row). Each set of
# rows is matched one to one across the two SAEs so that the sum of cosines is largest, decoders and encoders
# separately. A latent is **shared** when both matchings give it the same partner and both cosines are at least 0.7:
#
# $$
# \text{shared}_i = [P_\text{dec}(i) = P_\text{enc}(i)] \wedge \cos_\text{dec}(i, P(i)) \ge 0.7 \wedge
# \cos_\text{enc}(i, P(i)) \ge 0.7.
# $$

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
# Two SAEs of 32 latents, trained here and now on the same {result}`two_seeds.by_eye_tokens` activations in the same order.
# Every latent of one (rows) against every latent of the other (columns). On the left the columns stand as training left them: latent 3 of one SAE
# has nothing to do with latent 3 of the other. On the right each row's partner has been put on the diagonal, and the rows
# are sorted by how well they match: at the top two SAEs found the same thing, at the bottom a row has only the least bad
# partner that was left.

# %%
study.by_eye_figure()

# %% [markdown]
# ## All latents
#
# The matched decoders' cosines of seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b`, split by whether the
# encoders were matched the same way. What matching makes of two dictionaries that know nothing is the dashed line: with
# so many directions to choose from, even random ones find a partner of cosine {result}`two_seeds.chance_cosine`.
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
# The definition in three lines, one for each clause:

# %%
pair = study.pair
same_partner = pair.decoder.partner == pair.encoder.partner
near = (pair.decoder.cosine >= 0.7) & (pair.encoder.cosine >= 0.7)
f"{(same_partner & near).mean():.3f} of {pair.n} latents are shared"

# %% [markdown]
# {result}`two_seeds.sentences.disagree`
#
# ## Every threshold
#
# 0.7 is a choice. The whole curve, for all latents and for those alone that fire in held-out texts, with three
# baselines that know nothing: a random dictionary, two untrained SAEs (whose encoder and decoder are tied, so that both
# matchings agree without anything being learned), and one SAE with its coordinates shuffled.

# %%
study.threshold_curves()

# %% [markdown]
# ### Move the threshold
#
# Move the slider. Filled bars, right of the line, are the shared latents. Before you move it: how low must the threshold be
# until the dictionaries of chance share anything? Then compare with what they would share if partners did not have to agree.

# %%
study.threshold_slider()

# %% [markdown]
# The same pair's figures at the threshold of 0.7, beside those of chance.

# %%
study.table()

# %% [markdown]
# ## Does the measure measure?
#
# A permuted copy of an SAE must be found again, an untrained pair must share nothing. And the control that looks like
# stability but is not: the *same* start with *other* texts. Intervals are over SAEs, or over draws where each pair is one.

# %%
study.controls_table()

# %% [markdown]
# ## What it says
#
# Of {result}`two_seeds.n_latents` latents, seeds {result}`two_seeds.seed_a` and {result}`two_seeds.seed_b` share
# {result}`two_seeds.figures.shared_fraction`. {result}`two_seeds.sentences.minority` (Published for 131k latents of
# Llama-3-8B: {published}`seeds.shared.llama.N=131072`.) An untrained pair shares
# {result}`two_seeds.controls.untrained.shared`, a permuted copy {result}`two_seeds.controls.permuted.shared`.
# {result}`two_seeds.sentences.same_start`

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
# :::{admonition} Exercise 2: what one-to-one changes
# :class: exercise
# Matching is one to one. If each latent may take its nearest neighbour in the other decoder, several may take the same one. How many
# latents of the first SAE share their matched partner's neighbourhood? Compare the mean matched cosine for latents whose two matchings agree
# with that of the others.
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
# :::{dropdown} The same start with other texts shares no more than other starts with the same texts. What would that say?
# That the start is not the only thing that leads two SAEs apart: the texts, and the noise of training, do so too.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# One SAE is one draw. Before you name a latent, ask whether another seed has it.
# {result}`two_seeds.sentences.minority`
# :::

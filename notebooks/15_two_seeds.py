# needs: seeds
# %% [markdown]
# # Two seeds, one question
#
# Train the same SAE twice, on the same activations in the same order, and change nothing but the random numbers it
# starts from. Does it find the same latents? Paulo and Belrose found that often it does not {cite}`paulo2025`.
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

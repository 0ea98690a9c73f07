# needs: sweep
# %% [markdown]
# # What moves agreement
#
# One SAE setting is the base; here one thing at a time is changed: the width, the number of active latents, the training
# tokens, the layer, the architecture. Every setting was trained from three seeds (the base from
# {result}`what_moves_it.n_base`) on one stream of activations; a hash of every batch says so. Dots are means over pairs of
# seeds, bands their range.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import what_moves_it

plots.style()

# %%
study = what_moves_it.run(profile, device=device)
study.record();

# %% [markdown]
# ## Width

# %%
study.along("width")

# %% [markdown]
# Published, Pythia-160M: .81 at 32 latents, .79 at 768, .70 at 4k, .42 at 32k, .28 at 131k.
#
# ## Active latents

# %%
study.along("k")

# %% [markdown]
# Published: .42 at k = 32, .31 at 64, .23 at 128, .18 at 256 (of 768 dimensions). With few active latents many never fire,
# and a dead latent is shared with nothing: where the fraction among those that do fire differs, it is drawn beside.
#
# ## Training tokens

# %%
study.along("tokens")

# %% [markdown]
# Published: .07 at 0.8 billion tokens, .42 at 8 billion, .61 at 80 billion. The mean cosine alone would not tell an
# untrained pair from a trained one: chance is far from zero.
#
# ## Layer

# %%
study.along("layer")

# %% [markdown]
# Published, 32k latents, layers 0 to 11: .00, rising to .45 in the middle, a dip at the last (.25).
#
# ## Architecture
#
# An SAE that is less sparse shares less, so architectures are compared at equal sparsity (L0) *and* at equal
# reconstruction (fraction of variance unexplained, FVU). The line joins the TopK SAEs of the sweep over k: where another
# architecture lies above it, it agrees more than a TopK SAE of the same L0 or FVU would.

# %%
study.architectures("l0")

# %%
study.architectures("fvu")

# %%
study.table()

# %% [markdown]
# ## What it says
#
# From {result}`what_moves_it.width.from` to {result}`what_moves_it.width.to` latents the shared fraction goes from
# {result}`what_moves_it.width.start` to {result}`what_moves_it.width.end`; from {result}`what_moves_it.tokens.from` to
# {result}`what_moves_it.tokens.to` tokens from {result}`what_moves_it.tokens.start` to {result}`what_moves_it.tokens.end`; from
# k = {result}`what_moves_it.k.from` to {result}`what_moves_it.k.to` from {result}`what_moves_it.k.start` to
# {result}`what_moves_it.k.end`. Layer {result}`what_moves_it.layer.best` agrees most. At equal L0, ReLU and gated SAEs differ
# from TopK by {result}`what_moves_it.relu_and_gated_over_topk.difference` in the shared fraction.
#
# On the order of architectures the two papers disagree: Paulo and Belrose have TopK *below* gated and ReLU (GPT-2; .74,
# .86, .82, decoder only), Song and others have TopK *above* them (Pythia; mean matched cosine .82, .74, .47)
# {cite}`song2025`. They differ in model, hook, width, sparsity and measure. It stands on the claims page as open.

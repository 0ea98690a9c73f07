# needs: seeds
# %% [markdown]
# # Many seeds: what is always found, what only once
#
# Two SAEs give one number. With more, each latent of a reference SAE can be asked in how many of the others it has a
# shared partner. Paulo and Belrose's nine SAEs {cite}`paulo2025` gave a U: most latents are in all of them or in only one.
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

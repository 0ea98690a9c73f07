# needs: seeds
# %% [markdown]
# # Many seeds: what is always found, what only once
#
# Two SAEs give one number. With more, each latent of a reference SAE can be asked in how many of the others it has a
# shared partner. Paulo and Belrose's nine SAEs {cite}`paulo2025` gave a U: most latents are in all of them or in only one.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import many_seeds

plots.style()

# %%
study = many_seeds.run(profile, device=device)
study.record();

# %% [markdown]
# ## In how many of {result}`many_seeds.n_seeds` SAEs?
#
# Each SAE in turn is the reference; bars are means over references, whiskers their range. Membership is counted pairwise
# with the reference: that A has a latent of B and B one of C does not make A have it. Random dictionaries (dashes) have
# all their latents to themselves.

# %%
study.figure()

# %% [markdown]
# Published, nine seeds of a 32k SAE of Pythia-160M: 34.8 % in only one, 5.9 to 8.7 % in each number between, 17.3 % in
# all nine.
#
# ## The whole curve of thresholds
#
# The same count at other thresholds: a U is not an accident of 0.7, nor does it hold at every threshold.

# %%
study.at_thresholds()

# %% [markdown]
# ## Would more seeds find everything?
#
# The share of latents that only one of $S$ SAEs has falls as $S$ grows. Fitted by $a S^b + c$, the constant $c$ is what
# would stay the property of a single SAE however many were trained. Published (nine seeds, fitted for this project from
# the authors' values): c = .27.

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
# {result}`many_seeds.n_seeds`; the least frequent number between has {result}`many_seeds.lowest_between`. The smaller end
# stands {result}`many_seeds.u_shape.difference` above the bottom (a reference at a time:
# {result}`many_seeds.u_shape.interval`). The fitted floor is {result}`many_seeds.floor`, and with one SAE left out
# {result}`many_seeds.floor_interval`. Of the triangles of decoder partners, {result}`many_seeds.cycle.mean` close.

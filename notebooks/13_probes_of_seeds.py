# needs: seeds
# %% [markdown]
# # If SAEs disagree, do their probes?
#
# This is the book's own question. Its chapters read off SAE latents what a text is about; and SAEs that differ in nothing
# but their seed disagree on most of their latents. Do the probes still say the same?
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# For {result}`probes_of_seeds.n_seeds` SAEs of one setting: the same probe (logistic regression on
# {result}`probes_of_seeds.pooling`-pooled latents, one regularisation, chosen on validation folds with the first seed) on
# each seed's features. What it is held against is how far *any* probe wavers: the first seed's probe with the training
# texts drawn again, as many times as there are seeds.

# %% tags=["parameters"]
profile = "mini"
pooling = "mean"
n_seeds = 5
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import probes_of_seeds

plots.style()

# %%
study = probes_of_seeds.run(profile, pooling=pooling, n_seeds=n_seeds, device=device)
study.record();

# %% [markdown]
# ## The score
#
# Macro-F1 over the seeds, with their range; and the standard deviation over seeds beside the one over training draws.

# %%
study.figure()

# %%
study.table()

# %% [markdown]
# ## The same latents?
#
# Of one probe's twenty largest latents, how many are among another seed's twenty: by their number (which means nothing
# across seeds), after each latent is replaced by its matched partner, and when the partner must count as shared.

# %%
study.top_table()

# %% [markdown]
# ## Only the shared latents
#
# The probe may see all latents, only those that at least one other seed shares, only those that no other seed has, or as
# many at random as are shared.

# %%
study.kept_table()

# %% [markdown]
# ## The answer
#
# Do probes on SAEs of other seeds agree as well as probes on other draws of the training texts? **{result}`probes_of_seeds.answer`**:
# {result}`probes_of_seeds.reason`. (The rule, fixed beforehand: *yes* when the spread over seeds is at most one and a half
# times that over draws and agreement at most .05 lower.)
#
# The *latents* they lean on are another matter: by matched partner {result}`probes_of_seeds.mean.top_after` of the top twenty are
# found again, by shared partner {result}`probes_of_seeds.mean.top_shared`. Restricted to shared latents
# ({result}`probes_of_seeds.mean.shared_latents` of all), probes score {result}`probes_of_seeds.mean.kept_shared` against
# {result}`probes_of_seeds.mean.kept_all` with all and {result}`probes_of_seeds.mean.kept_random` with as many at random; orphans
# alone give {result}`probes_of_seeds.mean.kept_orphan`. So a score is less a matter of the seed than the list of latents it
# is read from: who names a probe's top latents should say of how many seeds they are the top.

# needs: seeds
# %% [markdown]
# # If SAEs disagree, do their probes?
#
# This is the book's own question. Its chapters read off SAE latents what a text is about; and SAEs that differ in nothing
# but their seed disagree on many of their latents ([chapter 15](15_two_seeds)). Do the probes still say the same?
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# Read here: {result}`probes_of_seeds.sentences.read`. The same probe (logistic regression on
# {result}`probes_of_seeds.pooling`-pooled latents, one regularisation, chosen on validation folds with the first seed) on
# each seed's features. What it is held against is how far *any* probe wavers: the first seed's probe with the training
# texts drawn again, with replacement, {result}`probes_of_seeds.n_draws` times: a draw holds about 63 % of them, some twice, where
# each seed's probe sees all, so that this bound is a generous one. Where a test set has parts, the first (familiar words) counts,
# and the new words stand beside it.

# %% tags=["parameters"]
profile = "mini"
pooling = "mean"
n_seeds = 8
n_draws = 8
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import probes_of_seeds

plots.style()

# %%
study = probes_of_seeds.run(profile, pooling=pooling, n_seeds=n_seeds, n_draws=n_draws, device=device)
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
# Do probes on SAEs of other seeds agree as well as probes on other draws of the training texts? Two bounds decide: the spread
# over seeds may be at most one and a half times the spread over draws, and two seeds' probes may agree at most 0.05 less
# often than two draws'. *Yes* takes both intervals within their bounds, *no* one of them beyond its own; otherwise it is
# *undecided*. The bounds came with the miniature's results, not before them: on it they are post hoc. Intervals are over
# seeds and draws, each left out in turn; the test texts stay as they are.
#
# The answer is {result}`probes_of_seeds.sentences.answer`
#
# {result}`probes_of_seeds.sentences.new_words`
#
# The *latents* they lean on: {result}`probes_of_seeds.sentences.top`
#
# Of an SAE's latents {result}`probes_of_seeds.mean.shared_latents` are in at least one of the other seeds' SAEs, and count as
# shared here; the two SAEs of [Two seeds, one question](15_two_seeds) by themselves share
# {result}`two_seeds.figures.shared_fraction`.
# {result}`probes_of_seeds.sentences.kept`

# needs: seeds
# %% [markdown]
# # If SAEs disagree, do their probes?
#
# This is the book's own question. Its chapters read off SAE latents what a text is about; and SAEs that differ in nothing
# but their seed disagree on many of their latents ([chapter 17](17_two_seeds)). Do the probes still say the same?
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction ([chapter 17](17_two_seeds)) and what a probe's largest weights are. About 12 minutes.
# :::
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
#
# ::::{admonition} Predict before you look
# :class: predict
# Two seeds share a part of their latents only. Will probes on them differ in their score? In what they say of single texts?
#
# :::{dropdown} What came out
# {result}`probes_of_seeds.sentences.answer`
# :::
# ::::

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
# shared here; the two SAEs of [Two seeds, one question](17_two_seeds) by themselves share
# {result}`two_seeds.figures.shared_fraction`.
# {result}`probes_of_seeds.sentences.kept`

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: same score, other answers
# :class: exercise
# `study.summary()["sets"][title]["parts"]` has, for each part of the test, `agreement_seeds` and `agreement_draws`: the share of texts of
# which two probes say the same. On which set do seeds disagree more than draws do?
# :::

# %% tags=["solution"]
import pandas as pd

sets = study.summary()["sets"]
first = {title: next(iter(found["parts"].values())) for title, found in sets.items()}
table = pd.DataFrame(first).T[["f1", "agreement_seeds", "agreement_draws"]].astype(float)
table.assign(**{"draws minus seeds": table["agreement_draws"] - table["agreement_seeds"]}).sort_values("draws minus seeds", ascending=False).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: only what is shared
# :class: exercise
# `kept` has the score with all latents, with the shared ones, with as many at random, and with orphans. How much does each lose against
# all, set by set?
# :::

# %% tags=["solution"]
kept = pd.DataFrame({title: found["kept"] for title, found in sets.items()}).T.astype(float)
kept.sub(kept["all"], axis=0).drop(columns="all").round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is the spread over seeds held against the spread over draws of training texts?
# A spread needs a measure. If another SAE moves the score no more than other training texts would, a reader of scores need not mind the
# seed.
# :::
#
# :::{dropdown} Two probes score the same and name different top latents. Which of the two is safe to report?
# The score. The list of latents is one of several that do the work; report it with the seed, or keep what several seeds name.
# :::
#
# :::{dropdown} Why compare "shared latents only" with as many latents at random?
# Fewer columns alone change a score. The random choice shows how much of the change is that.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A probe's score can be stable while its reasons are not: check the named latents across seeds.
# {result}`probes_of_seeds.sentences.top`
# :::

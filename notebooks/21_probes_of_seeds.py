# needs: seeds
# %% [markdown]
# # If SAEs disagree, do their probes?
#
# This is the book's own question. Its chapters read off SAE latents what a text is about. But SAEs that differ in nothing but their
# seed disagree on many of their latents ([chapter 17](17_two_seeds)). Suppose a {term}`probe` on one SAE says that a text is toxic. Would
# it have said so with another seed? And would it have named the same latents as its reason?
#
# **The answer,** first for what probes say: {result}`probes_of_seeds.sentences.answer`
#
# And for their reasons: {result}`probes_of_seeds.sentences.top`
#
# :::{admonition} Before you read
# :class: before
# You know the shared fraction ([chapter 17](17_two_seeds)) and what a probe's largest weights are. About 8 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The SAEs.** Read here: {result}`probes_of_seeds.sentences.read`. They differ in their seed alone.
#
# **The probe** is the same for each seed: logistic regression on {result}`probes_of_seeds.pooling`-pooled latents. Its one setting, the
# regularisation, is chosen on validation folds of the training texts with the first seed, and kept for all.
#
# **The yardstick.** A spread over seeds needs something to be held against: how far does *any* probe waver? So the first seed's probe is
# trained again on training texts drawn with replacement, {result}`probes_of_seeds.n_draws` times. A draw holds about 63 % of the texts,
# some twice, where each seed's probe sees all. That makes draws waver more, and this yardstick a generous one.
#
# **The tests.** Every labelled set of the profile counts, on its test texts. Where a test set has parts, the first
# ({term}`familiar words <familiar words, new words>`) counts, and the new words stand beside it.
#
# **Intervals** are 95 % over seeds and over draws, each left out in turn. The test texts stay as they are. Where kinds of latents are
# compared, the interval also covers one over sets.

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
# How far does {term}`macro-F1` move from one seed to the next, on each set?
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

# %% [markdown]
# :::{div} caption
# A bar is one set: its mean score over seeds; the whisker reaches from the worst seed to the best. Look on which sets whiskers are long.
# Whether that is more than other training texts do, the figure cannot say; the table can.
# :::
#
# The table has the standard deviation over seeds beside the one over training draws, and how often two probes say the same of a text:

# %%
study.table()

# %% [markdown]
# ## The same latents?
#
# Take the twenty latents with the largest weights in one probe. How many of them are among another seed's twenty? They are counted in
# three ways: by their number, which means nothing across seeds and shows what chance gives; after each latent is replaced by its
# matched partner; and when the partner must also count as shared.

# %%
study.top_table()

# %% [markdown]
# ## Only the shared latents
#
# Would it be enough to keep what seeds have in common? The probe may see all latents; only those that at least one other seed shares;
# only the {term}`orphans <orphan>`, which no other seed has; or as many at random as are shared. The last is the control: fewer columns alone
# change a score.

# %%
study.kept_table()

# %% [markdown]
# ## The answer
#
# Do probes on SAEs of other seeds agree as well as probes on other draws of the training texts? Two bounds decide:
#
# - the spread of scores over seeds may be at most one and a half times the spread over draws;
# - two seeds' probes may agree on at most 0.05 fewer of the test texts than two draws' probes do.
#
# *Yes* takes both intervals within their bounds, *no* one of them beyond its own; otherwise it is *undecided*. The bounds came with
# the miniature's results, not before them: on it they are post hoc.
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
#
# **What could be wrong.** One kind of probe, one pooling and one SAE setting were tried. The bounds are a choice: with a stricter one the
# answer may differ. And the test texts are not drawn again, so nothing is said of other texts. No paper is reproduced in this chapter.

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

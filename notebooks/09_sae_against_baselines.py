# %% [markdown]
# # SAE features against hidden states and bags of words
#
# The paper's headline: SAE features reach a macro-F1 above {published}`mosaic.mean.least` and beat hidden states and
# bags of words {cite}`gallifant2025`. {result}`sae_against_baselines.sentences.answer`
#
# How it was measured here:
#
# - **Nested.** Layer, pooling, binarisation, threshold, strength $C$ and tree are chosen on validation folds of the
#   training set; the test set is scored once. Trees, on SAE features and hidden states alike, are tried on one pooling of each
#   layer, the best for a linear probe; bags of words get none. The table of what was tried, below, counts the settings.
# - **Equal.** SAE features (of one width) and hidden states are chosen from the same layers and get every pooling of the
#   profile, the last token among them, and one grid of $C$. SAE features may be binarised too, as published, and
#   so have {result}`sae_against_baselines.effort.sae.n_settings` settings to choose from where hidden states have
#   {result}`sae_against_baselines.effort.hidden.n_settings` (equal budgets stand below, with the controls). The published
#   comparison read hidden states at the last token only, SAE features at all tokens.
# - **Two tests, where a set has two.** The score of a set is that of its *familiar words*. The miniature's sets say
#   every test message a second time in *new words*, synonyms that no training text of the set has.
# - **Two kinds of labels, where the model's training is known.** Most of the miniature's labels are *told in
#   training*: the corpus writes them after every message of their kind, so that the language model learned to predict
#   them. Others are *never told*: functions of the same factors that no text of the corpus states. A real
#   classification task may be of either kind, and the second is the harder question to a representation.
#   *What was run*, linked below, has each set's classes, sizes and an example.
# - **95 % intervals** on everything: over texts; over seeds and random draws, where there are several; and a mean's over
#   the sets themselves, since what it says is meant of sets like these. Few sets, or sets that disagree, make it wide.
#
# :::{admonition} Before you read
# :class: before
# You know {term}`pooling` ([chapter 7](07_pooling)), nested choice ([chapter 5](05_layers)) and macro-F1. About 25 minutes; the figure
# and *What it says* take ten.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import sae_against_baselines

plots.style()

# %%
study = sae_against_baselines.run(profile, device=device)
study.record();

# %% [markdown]
# ## The comparison
#
# Filled marks: familiar words, or the whole test where it is one. Hollow marks: the same messages in new words. On the
# right, SAE features minus hidden states: right of the line the SAE is ahead. Grey and hollow, at the upper edge of a line:
# published values, where the paper has the same task. They are of Gemma 2 2B at the paper's best mean setting (binarised sums,
# middle layer, 16k) and of its hidden states there; model and, for the miniature's sets, texts are others.
#
# ::::{admonition} Predict before you look
# :class: predict
# Three readers of the same texts: sparse latents, the dense hidden states they were made from, and a bag of words that knows no
# language model. Rank them. Which of the gaps will be larger than chance, and what will happen in new words?
#
# :::{dropdown} What came out
# {result}`sae_against_baselines.sentences.answer` {result}`sae_against_baselines.sentences.new_words`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# What validation chose for each set and kind of features. *Tied* is the number of settings that validation cannot tell
# from the best one, that one included: where it is large, which one was chosen is chance.

# %%
study.table()

# %% [markdown]
# ## What it says
#
# {result}`sae_against_baselines.sentences.hidden` {result}`sae_against_baselines.sentences.tfidf`
# {result}`sae_against_baselines.sentences.losses` {result}`sae_against_baselines.sentences.leans_on`
# {result}`sae_against_baselines.sentences.ceiling`
#
# {result}`sae_against_baselines.sentences.linear` A shallow tree can combine two latents, which a linear probe cannot.
# Here both were tried on every pooling of layer {result}`sae_against_baselines.classifiers.layer`, nothing binarised.
# {result}`sae_against_baselines.sentences.classifiers` (The paper's result files have linear
# probes ahead of trees on SAE features by {published}`mosaic.trees.difference`, and with trees SAE features ahead of hidden
# states by {published}`mosaic.trees.pairs.difference`.)
#
# {result}`sae_against_baselines.sentences.learned` {result}`sae_against_baselines.sentences.learned_new_words`
# {result}`sae_against_baselines.sentences.learned_with_tree` {result}`sae_against_baselines.sentences.learned_with_tree_new_words`
# {result}`sae_against_baselines.sentences.learned_never_told`
#
# {result}`sae_against_baselines.sentences.new_words`
#
# {result}`sae_against_baselines.sentences.never_told`
#
# {result}`sae_against_baselines.sentences.pairs` {result}`sae_against_baselines.sentences.pairs_as_published` A pair is
# one SAE setting on one set against hidden states, linear probes only; every pooling of the profile counts, where the paper
# has sums and top-n counts, and a tie is not ahead.
#
# ## Controls: has anything been learned?
#
# Two controls the published comparison lacks: *random dictionaries* of the same width, with the same mean number of
# active latents per token as the trained SAE, and the same language model with *random weights*. What they reach is owed
# to sparse random projections of the residual stream, and to the words themselves. All of them, the trained SAE and the
# hidden states beside them, read layer {result}`sae_against_baselines.equal_budget.layer` at width
# {result}`sae_against_baselines.equal_budget.width` and have one budget: every pooling, pooling and $C$ chosen on
# validation, linear probes, nothing binarised. The range is over dictionaries, or over the SAE's seeds where there are
# several.

# %%
study.controls_table()

# %% [markdown]
# Means over the sets: trained SAE {result}`sae_against_baselines.equal_budget.mean.trained SAE`, random dictionaries
# {result}`sae_against_baselines.equal_budget.mean.random dictionary`, hidden states
# {result}`sae_against_baselines.equal_budget.mean.hidden states`, the random language model's hidden states
# {result}`sae_against_baselines.equal_budget.mean.random language model`. What the language model learned is worth
# {result}`sae_against_baselines.equal_budget.hidden_minus_untrained.difference`
# (95 % {result}`sae_against_baselines.equal_budget.hidden_minus_untrained.interval`, one random model). With a tree to
# choose from as well, trained SAE {result}`sae_against_baselines.equal_budget.with_tree.mean.trained SAE`, random
# dictionaries {result}`sae_against_baselines.equal_budget.with_tree.mean.random dictionary`, hidden states
# {result}`sae_against_baselines.equal_budget.with_tree.mean.hidden states`.
#
# {result}`sae_against_baselines.sentences.all_seeds`
#
# ## Was every family given its due?
#
# Settings tried on each set, the poolings among them, and how often the chosen $C$ is an end of its grid (a better one
# may lie beyond) or a fit ended before it was solved. {result}`sae_against_baselines.sentences.edges`

# %%
study.effort_table()

# %% [markdown]
# ## How few latents suffice?
#
# The same probe on the $k$ latents whose class means differ most {cite}`kantamneni2025`, one panel a data set, $C$
# chosen anew for every $k$. The dashed line is what all latents reach. The large mark is the smallest $k$ that
# validation cannot tell from all latents (their difference is within its standard error): it is chosen there, not read
# off this curve, of which some point reaches any bound by luck.

# %%
study.k_sparse_curves()

# %% [markdown]
# ### Move *k*
#
# Choose a set and move the slider: *k* doubles at each step, and the latents that come in are listed below the figure. Where the
# model's factors are known, a latent is named after the one it tracks best; in brackets, how well (AUROC). Do the first few mean
# what the set asks for?

# %%
study.few_slider()

# %% [markdown]
# The sizes that validation chose, and what they cost:

# %%
study.few_table()

# %% [markdown]
# {result}`sae_against_baselines.sentences.few` {result}`sae_against_baselines.sentences.fewer_is_better`
# {result}`sae_against_baselines.sentences.fewer_is_better_new`
#
# ## What the probes look at
#
# The five largest weights of each set's linear probe, with the training text on which the latent is most active. A
# latent's name is its layer, its SAE's width and its number; a minus before a class: its activity speaks against it. Where the model's factors are known, a latent is named after the one it tracks best. Texts are shown
# as published; some sets hold offensive language, which they exist to detect.

# %%
study.latents_table()

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: does the mean hang on one set?
# :class: exercise
# `study.per_set[title][part]["hidden"]` is SAE features minus hidden states on one set, with `difference`, `low` and `high`. Leave out
# one set at a time and take the mean of the others, on each set's first part. Is there a set without which the answer changes its sign?
# :::

# %% tags=["solution"]
import pandas as pd

first = {title: next(iter(parts.values())) for title, parts in study.per_set.items()}
difference = pd.Series({title: part["hidden"].difference for title, part in first.items() if "hidden" in part})
left_out = (difference.sum() - difference) / (len(difference) - 1)
pd.DataFrame({"difference on this set": difference, "mean of the others": left_out}).sort_values("mean of the others").round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: what did training the SAE buy?
# :class: exercise
# `study.controls` has one dictionary for each set and control: the trained SAE, random dictionaries, hidden states, an untrained model.
# Make a table of their macro-F1 on each set's first part, and average it. What would you have concluded without the random dictionary?
# :::

# %% tags=["solution"]
scores = {(row["set"], row["control"]): next(iter(row["parts"].values()))["macro_f1"] for row in study.controls}
table = pd.Series(scores).unstack()
pd.concat([table, table.mean().rename("mean").to_frame().T]).round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is a random dictionary a fair control for a trained SAE?
# It reads the same residual stream, has as many latents and lets as many of them fire. It lacks only what was learned. What it reaches
# is owed to the language model and to sparse projections.
# :::
#
# :::{dropdown} A bag of words scores high on a set. What does that say of the set?
# Single words give much of the label away. A high score of other features there says little of what they understand; a test in new words
# says more.
# :::
#
# :::{dropdown} SAE features and hidden states "cannot be told apart". Are they equally good?
# That was not shown either. Read the interval: it holds every difference that fits the data, and the next claim needs one that is small
# enough to matter to you.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A headline needs its controls: equal poolings, a bag of words, a random dictionary, new words, an interval over sets.
# {result}`sae_against_baselines.sentences.answer` {result}`sae_against_baselines.sentences.learned`
# :::

# %% [markdown]
# # Which layer?
#
# The paper compares an early, a middle and a late layer of each model and finds the middle ones best on average
# {cite}`gallifant2025`. Is that so here? Every layer with an SAE is compared with the hidden states of the same layer. At
# each layer, validation folds of the training set choose the pooling, for both kinds of features from the same
# poolings; one layer has to serve all data sets, and validation chooses that too. All probes are linear and read features as
# they are, nothing binarised. The test set chooses nothing. What came out: {result}`layers.sentences.middle`
#
# :::{admonition} Before you read
# :class: before
# You know what a {term}`residual stream` is, how a text becomes one row ([chapter 3](03_text_to_features)), and what a
# {term}`probe` is. About 15 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import layers

plots.style()

# %%
study = layers.run(profile, device=device)
study.record();

# %% [markdown]
# ## Layer curves
#
# One panel a data set; bands are 95 % bootstrap intervals over test texts. Where a set has a test of *familiar words*
# and one of *new words* (the same messages, said with words that no training text of the set has), these are the
# familiar ones.
#
# Hollow grey marks are published values {cite}`gallifant2025`, where the paper has the same task: linear probes on Gemma 2 2B,
# at its early, middle and late layer (5, 12 and 19). SAE features are the paper's sums and counts, nothing binarised, one mark a
# pooling; hidden states are of the last token. The model is a larger one, and the miniature's texts are not the paper's: the
# marks show how a task's scores lie in the paper, and are no target for the curves.
#
# ::::{admonition} Predict before you look
# :class: predict
# A model builds a text's meaning layer by layer, and its last layers turn to the next token. Where will the curves peak: early,
# in the middle, late? Will SAE features and hidden states peak at the same place?
#
# :::{dropdown} What came out
# {result}`layers.sentences.middle`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# The same on new words:

# %%
study.new_words_figure()

# %% [markdown]
# ## Which one validation chooses
#
# The layer with the highest validation score, averaged over the sets, is marked as chosen. The last column says which
# pooling validation chose at that layer, and on how many sets.

# %%
study.table()

# %% [markdown]
# ## Is the chosen one really ahead?
#
# One of several means is always the largest. Whether it would be again is answered in two ways. First, the chosen
# layer's lead over the others is measured on the test sets, which had no part in the choice. The layer named below is
# its *strongest rival*: of the others, the one over which the lead's interval reaches lowest, so that a lead over it is a
# lead over all. It need not have the nearest mean: a lead that swings from set to set is less sure than a small steady
# one. The interval comes from resampling the data sets as well as the texts of each, because "best on average" speaks of
# data sets in general. Second, the sets are drawn again and validation chooses anew.
#
# **SAE features.** {result}`layers.sentences.sae` {result}`layers.sentences.sae_new`
#
# **Hidden states.** {result}`layers.sentences.hidden` {result}`layers.sentences.hidden_new`

# %% [markdown]
# ## Between the layers with an SAE
#
# SAEs are trained at a few layers; a model has hidden states after every block. Is the best place to read a text one that
# no SAE looks at? Hidden states after all {result}`layers.every_block.n_blocks` blocks of the model are compared here, each
# with one pooling ({result}`layers.every_block.pooling`) and at most {result}`layers.every_block.rows.train` training and
# {result}`layers.every_block.rows.test` test texts a set, because two models at every block are many fits. So these scores
# stand beside each other and not beside those above, where validation chose among all poolings and on more texts, and may
# have taken another layer. *Early*, *middle* and *late* are thirds of a model's depth: the share of its blocks that a text has passed.
#
# The same is done with the larger model of a pair, where the profile names one: on the same texts, trained and tested on the
# same rows, so that its differences from the smaller one are taken text by text. Large marks are the layers that validation
# chose; bands are 95 % intervals over test texts.

# %%
study.scale_figure()

# %%
study.scale_table()

# %% [markdown]
# **Every block.** {result}`layers.sentences.every_block` {result}`layers.sentences.every_block_third`
# {result}`layers.sentences.every_block_beyond`
#
# **A larger model.** Each model is read at the layer that validation chooses for it, of those with an SAE of its own; SAE
# features and hidden states alike, with one pooling on both sides. Two models of a family differ in more than their size,
# such as the tokens they were trained on (the miniature's are in its own chapter), and SAEs of one width have fewer latents
# for each dimension of the larger one. The intervals are over data sets and texts.
# {result}`layers.sentences.pair`

# %% [markdown]
# ## What it says
#
# Averaged over {result}`layers.n_sets` data sets, validation chooses layer {result}`layers.best_layer.sae` for SAE
# features (macro-F1 on test {result}`layers.best_mean.sae`), *{result}`layers.best_position.sae`* among those
# compared, and layer {result}`layers.best_layer.hidden` for hidden states ({result}`layers.best_mean.hidden`).
# {result}`layers.sentences.middle` The [claims page](../claims.md) sets this beside the published statement.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: the price of peeking
# :class: exercise
# `study.rows` has one dictionary for each set, kind of features and layer, with `validation_macro_f1` and `macro_f1` (test). For SAE
# features, compare the layer that validation chooses on each set with the one that is best *on test*. How much would you
# overstate by reporting the second?
# :::

# %% tags=["solution"]
import pandas as pd

sae = pd.DataFrame(study.rows).query("features == 'sae'")
chosen = sae.loc[sae.groupby("set")["validation_macro_f1"].idxmax()].set_index("set")
peeked = sae.loc[sae.groupby("set")["macro_f1"].idxmax()].set_index("set")
honest = pd.DataFrame({"chosen layer": chosen["layer"], "its score": chosen["macro_f1"]})
honest["best on test"], honest["overstated by"] = peeked["macro_f1"], peeked["macro_f1"] - chosen["macro_f1"]
honest.round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: other sets, another winner?
# :class: exercise
# One layer has the highest mean. Draw the sets anew 1,000 times, with replacement, and count how often each layer has the highest
# mean validation score. How sure is the choice?
# :::

# %% tags=["solution"]
by_set = sae.pivot(index="set", columns="layer", values="validation_macro_f1")
draws = [by_set.sample(frac=1, replace=True, random_state=seed).mean().idxmax() for seed in range(1000)]
pd.Series(draws, name="share of draws").value_counts(normalize=True).round(2)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why does validation choose the layer, and not the test set?
# The best of several noisy scores is too high on average. Chosen on test, a layer's score would carry that luck into the report.
# Chosen on validation, its test score is an honest one.
# :::
#
# :::{dropdown} Validation chooses the middle layer. Why is that not yet "the middle layer is best"?
# One of several means is always the largest. It is best only if its lead over each other layer is larger than what other texts and
# other sets could have made of it. So the lead over the strongest rival is given, with an interval.
# :::
#
# :::{dropdown} Why are the intervals over sets and texts wider than those over texts alone?
# "Best on average" speaks of tasks in general. A layer that leads on one set and trails on the next is unsure, however many texts
# each set has.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Choose on validation, report the lead with an interval over sets, and say so when there is no winner.
# {result}`layers.sentences.middle`
# :::

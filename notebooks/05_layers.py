# %% [markdown]
# # Which layer?
#
# **The question.** A language model passes a text through many layers. At which one should a classifier read it?
#
# **Why ask?** Somebody who builds a classifier has to pick one, and there may be dozens. Early layers are
# said to hold single words, the last ones to prepare the next word. Is the best place in between? The paper compares an early, a middle and a late layer of each
# model and finds the middle ones best on average {cite}`gallifant2025`. Is that so here?
#
# **The answer** (skip it if you want to predict). {result}`layers.sentences.middle`
#
# (The two numbers after "95 %" are an {term}`interval`. If zero lies between them, nobody can say which of the two is better. What a
# {term}`strongest rival` is, is said below.)
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
# A probe reads one layer after another: the {term}`latents <latent>` of an SAE there, and the {term}`hidden states` of the same layer, the
# vectors from which the SAE made them. It is scored by {term}`macro-F1`.
#
# How it was measured:
#
# - **Every layer with an SAE** is compared with the hidden states of the same layer.
# - **One row per text.** {term}`Pooling <pooling>` makes it. At each layer, {term}`validation folds <validation fold>` of the training
#   set choose the pooling, for both kinds of features from the same ones.
# - **One layer for all.** A single layer has to serve all data sets. Validation chooses that, too. The test set chooses nothing.
# - **Plain features.** All probes are linear and read features as they are, nothing binarised (turned into on or off).
# - **Familiar words.** Where a set has two tests, of {term}`familiar words and of new words <familiar words, new words>`, these are the
#   familiar ones. New words say the same messages in words that no training text of the set has.
#
# Hollow grey marks are published values {cite}`gallifant2025`, where the paper has the same task. They are of linear probes on Gemma 2
# 2B, at its early, middle and late layer (5, 12 and 19). SAE features are the paper's sums and counts, nothing binarised, one mark a
# pooling; hidden states are of the last token. That model is larger, and the miniature's texts are not the paper's. So the
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
# :::{div} caption
# One panel is a data set. A mark is the test score of a probe that reads this layer, SAE features or hidden states; bands are 95 %
# intervals over test texts, hollow marks the paper's. Look where each line is highest, and whether its band there is clear of its
# other layers.
# :::
#
# Would a probe that leans on single words show here? The same on new words:

# %%
study.new_words_figure()

# %% [markdown]
# :::{div} caption
# As above, but the test is in new words, and only for sets that have such a test. Compare each panel with its own above, minding that
# the vertical axis may differ: where a line lies lower here, the probe had leaned on words that it knew.
# :::
#
# ## Which one validation chooses
#
# The layer with the highest validation score, averaged over the sets, is marked as chosen. The last column says which
# pooling validation chose at that layer, and on how many sets.

# %%
study.table()

# %% [markdown]
# ## Is the chosen one really ahead?
#
# One of several means is always the largest, as one of several runners is always first. Would it be first again? We ask in two ways.
#
# First, on the test sets, which had no part in the choice: how far does the chosen layer lead? The layer named below is its
# strongest rival. Of the others, it is the one over which the lead is least sure: the interval of that lead reaches lowest. A lead
# over this one is a lead over all. It need not be the layer with the nearest mean, because a lead that swings from set to set is less sure
# than a small steady one. The interval comes from drawing anew both the data sets and the texts of each, because "best on average" speaks
# of data sets in general.
#
# Second, the sets are drawn again and validation chooses anew. How often does it choose the same layer?
#
# **SAE features.** {result}`layers.sentences.sae` {result}`layers.sentences.sae_new`
#
# **Hidden states.** {result}`layers.sentences.hidden` {result}`layers.sentences.hidden_new`

# %% [markdown]
# ## Between the layers with an SAE
#
# SAEs are trained at a few layers only; a model has hidden states after every {term}`block`. Could the best place to read a text be one
# that no SAE looks at? Here hidden states after all {result}`layers.every_block.n_blocks` blocks of the model are compared. *Early*,
# *middle* and *late* are thirds of a model's depth: the share of its blocks that a text has passed.
#
# Does a larger model change the answer? Where the profile names a pair of models, the same is done with the larger one. It learns and is
# tested on the very same texts, so that the two are compared text by text.
#
# *What could be wrong?* Two models at every block are many probes to fit. So each has one pooling
# ({result}`layers.every_block.pooling`), and at most {result}`layers.every_block.rows.train` training and
# {result}`layers.every_block.rows.test` test texts per set. These scores stand beside each other and not beside those above: there,
# validation chose among all poolings and on more texts, and may have taken another layer.

# %%
study.scale_figure()

# %% [markdown]
# :::{div} caption
# One line is one model, a mark its mean over the sets; across is how deep it was read, 1.0 being its last block. Bands are 95 %
# intervals over test texts; the large mark is the layer that validation chose. See whether the line still rises right of it.
# :::

# %%
study.scale_table()

# %% [markdown]
# **Every block.** {result}`layers.sentences.every_block` {result}`layers.sentences.every_block_third`
# {result}`layers.sentences.every_block_beyond`
#
# **A larger model.** Each model is read at the layer that validation chooses for it, of those with an SAE of its own. That holds for SAE
# features and hidden states alike, with one pooling on both sides. The intervals are over data sets and texts.
# {result}`layers.sentences.pair`
#
# *What could be wrong?* Two models of a family differ in more than their size, such as the tokens they were trained on (the miniature's
# are in its own chapter). And SAEs of one {term}`width` have fewer latents for each dimension of the larger model.

# %% [markdown]
# ## What it says
#
# Averaged over {result}`layers.n_sets` data sets, validation chooses layer {result}`layers.best_layer.sae` for SAE
# features (macro-F1 on test {result}`layers.best_mean.sae`), *{result}`layers.best_position.sae`* among those
# compared, and layer {result}`layers.best_layer.hidden` for hidden states ({result}`layers.best_mean.hidden`).
# {result}`layers.sentences.middle`
#
# ## What the paper said
#
# Middle layers are best on average {cite}`gallifant2025`. The [claims page](../claims.md) sets what came out beside the published statement.

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

# %% [markdown]
# # How far do few labels go?
#
# **The question.** How does a classifier improve with the number of labelled texts, and which features need the fewest?
#
# **Why ask?** Labels cost time: somebody has to read each text. With thirty labelled messages and a thousand features, a classifier can
# find patterns that are only luck. Perhaps a few well-chosen {term}`latents <latent>` do better then. Or perhaps choosing is not needed, as
# the paper says, if each latent is only on or off (*binarised*) {cite}`gallifant2025`.
#
# **The answer** (skip it if you want to predict). {result}`few_labels.sentences.answer`
#
# {result}`few_labels.sentences.mean_difference`
#
# :::{admonition} Before you read
# :class: before
# You know {term}`pooling` ([chapter 7](07_pooling)) and binarising ([chapter 8](08_binarisation)). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_draws = 10
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import few_labels

plots.style()

# %%
study = few_labels.run(profile, n_draws=n_draws, device=device)
study.record();

# %% [markdown]
# ## The curves
#
# Seven ways to use features learn from the same few labelled texts. Five read SAE latents of layer {result}`few_labels.layer` and
# {term}`width` {result}`few_labels.width`, the last two something else:
#
# - *SAE, all latents as they are*: every latent, by its {result}`few_labels.pooling` over the tokens;
# - *SAE, all latents binarised*: was the latent active anywhere in the text?
# - {result}`few_labels.selected` *latents by mean difference*: those whose class means differ most;
# - {result}`few_labels.selected` *latents by L1*: those that come first when an {term}`L1 penalty` is lowered;
# - *top-*{result}`few_labels.selected` *counts of latents*, which the paper has: in how many tokens a latent is
#   among that token's {result}`few_labels.selected` largest;
# - {term}`hidden states`: the vectors of the same layer, pooled by their {result}`few_labels.pooling` too, without an SAE;
# - *TF-IDF*: a {term}`bag of words` and of pairs of words.
#
# ::::{admonition} Predict before you look
# :class: predict
# With fifty labelled texts, a probe on a thousand columns has far more weights than texts. Which will do best then: all latents, the
# twenty whose class means differ most, or hidden states? And with all labels?
#
# :::{dropdown} What came out
# {result}`few_labels.sentences.best`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# Each line is one way to use features. Above, its mean {term}`macro-F1` over the sets, few labels at the left, all at the right. Below, the
# same minus {term}`hidden states`, without TF-IDF. Look where a whole band lies above or below the line at zero. A flat start can be two
# shares of equally many texts (below).
# :::
#
# {result}`few_labels.sentences.best`
#
# {result}`few_labels.sentences.with_all` {result}`few_labels.sentences.bags`
#
# {result}`few_labels.sentences.enough`
#
# ## How it was measured
#
# - **The same for all.** All ways learn from the same labelled texts in the same draws, on every data set, and are scored on the same test.
# - **Nothing but the labelled texts.** Which latents are chosen, which words are known, and how columns are scaled is learned
#   on the draw alone.
# - **Draws.** Which texts get a label is luck. So {term}`draws <draw>` are repeated: {result}`few_labels.n_draws` of every share of the
#   training texts, each class in its proportion. All texts together are one draw. In numbers, {result}`few_labels.sentences.labels`
# - **One strength for all.** How strongly should a probe be kept from large weights (its {term}`regularisation strength` $C$)? Ten texts
#   are too few to choose that on, and choosing it on others would be no case of few labels. So $C$ is {result}`few_labels.C` for every way.
#   Features are scaled by one number, until the squares of a text's row add up to 1 on average. That way the same $C$ asks the same of a
#   hundred columns and of a thousand. What another $C$ would change stands below.
# - **95 % {term}`intervals <interval>`.** Those of differences are over test texts, draws and data sets; those of levels over texts and
#   draws alone. All ways have the same texts and draws in every resample, so that a difference is one of pairs.
#
# ## Is it worth choosing latents?
#
# {result}`few_labels.sentences.mean_difference` {result}`few_labels.sentences.L1`
#
# And is binarising worth it? With few labels, {result}`few_labels.sentences.binarising`; {result}`few_labels.sentences.as_they_are`.
# {result}`few_labels.sentences.top_n`

# %%
study.table()

# %% [markdown]
# {result}`few_labels.sentences.new_words`
#
# ## In five languages
#
# The paper's figure is of toxicity in several languages. Does what was found hold in each of the miniature's?

# %%
study.languages_figure()

# %% [markdown]
# :::{div} caption
# One panel is toxicity in one language, trained and tested in it; lines are four of the ways above, with bands over texts and draws. Look
# at the left, where labels are few: which line is on top, and do all panels have one order?
# :::
#
# {result}`few_labels.sentences.languages`
#
# ## What could be wrong
#
# *One strength was given to all.* Three of the draws were fitted with a tenth of $C$ and with ten times as much.
# {result}`few_labels.sentences.strengths`
#
# *Each way is read at one layer, with one pooling and one probe.* Hidden states are read by their {result}`few_labels.pooling` here.
# {result}`pooling.sentences.last_hidden` A difference between the two can therefore be one of pooling.
# [Chapter 9](09_sae_against_baselines) lets validation choose all of these for both, which takes labels.
#
# *Labels may not be needed.* A language model that is told the classes in words may need no labels at all; that is no matter of features.
#
# ## What the paper said
#
# The paper asks this of toxicity in several languages, with three ways to choose features (its first figure {cite}`gallifant2025`). It says
# that binarising all latents can stand in for choosing some. The values of its figure were not to be had, so none are drawn.
#
# Another paper set SAE probes beside baselines where data are scarce, and found no consistent gain {cite}`kantamneni2025`. Both statements
# are tested on the [claims page](../claims.md).

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: what is another label worth?
# :class: exercise
# `study.summary()["mean"]` holds, for each way and share of the labels, the mean macro-F1. Make a table of ways by shares. Between which
# two shares does each way gain most?
# :::

# %% tags=["solution"]
import pandas as pd

means = study.summary()["mean"]
table = pd.DataFrame({way: {rate: found["mean"] for rate, found in by_rate.items()} for way, by_rate in means.items()}).T
table = table[sorted(table.columns, key=lambda rate: float(rate.rstrip("%")))]
table.assign(**{"largest gain up to": table.diff(axis=1).idxmax(axis=1)}).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: which sets decide?
# :class: exercise
# `study.summary()["sets"]` has the same for each set. With the smallest share of the labels, on how many sets is choosing latents by
# the difference of class means ahead of using all of them? Is the mean carried by a few sets?
# :::

# %% tags=["solution"]
sets = study.summary()["sets"]
least = table.columns[0]
gain = pd.Series({title: ways["mean difference"][least] - ways["all latents"][least] for title, ways in sets.items()})
print(f"ahead on {(gain > 0).sum()} of {len(gain)} sets with {least} of the labels")
gain.sort_values(ascending=False).round(3).rename("mean difference minus all latents").to_frame()

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is $C$ not chosen on validation here?
# Ten texts are too few to choose it on, and choosing it on other labelled texts would use labels that the case does not have.
# :::
#
# :::{dropdown} Why are several draws of the same share needed?
# Which ten texts are labelled is luck, and with ten it moves the score a lot. The mean over draws takes out most of that luck, and the
# interval shows how much is left.
# :::
#
# :::{dropdown} Why can choosing few columns help with few labels and not with many?
# With few labels each needless column is a chance to fit noise. With many, the probe can weigh all columns, and what was left out is missed.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# With few labels, fewer columns can be worth more than better ones. {result}`few_labels.sentences.mean_difference`
# :::

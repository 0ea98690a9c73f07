# %% [markdown]
# # Which pooling?
#
# **The question.** A text has many tokens, a classifier wants one row. How should the tokens be put together?
#
# **Why ask?** Take a review of fifty words of which one is an insult. Add up over all words, and the insult is one part in fifty. Keep the
# strongest word, and it stands out. Read the last word only, and you rely on the model to have carried the insult there. That choice is
# called {term}`pooling`. It can matter more than which features are pooled.
#
# **The answer** (skip it if you want to predict). {result}`pooling.sentences.baseline` {result}`pooling.sentences.last_hidden`
#
# :::{admonition} Before you read
# :class: before
# You know how tokens become latents ([chapter 3](03_text_to_features)) and how validation chooses ([chapter 5](05_layers)).
# About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import pooling

plots.style()

# %%
study = pooling.run(profile, device=device)
study.record();

# %% [markdown]
# ## SAE features
#
# Every pooling is given to both kinds of features at one layer, layer {result}`pooling.layer`, and each is scored by itself. Where a set has
# tests of {term}`familiar and of new words <familiar words, new words>`, these are the familiar ones.
#
# The poolings are those of [chapter 3](03_text_to_features): *sum*, *mean* and *max* over the tokens; *last*, the last token alone; *count*,
# on how many tokens a {term}`latent` is active; *top20*, on how many it is among that token's twenty largest.
#
# ::::{admonition} Predict before you look
# :class: predict
# The miniature's messages end where, in its training corpus, a log of labels followed; so their last vector may hold an answer already. Which
# pooling will serve best: one that adds up all tokens,
# one that keeps the strongest, or the last token alone? Will the answer be the same for SAE features and hidden states?
#
# :::{dropdown} What came out
# {result}`pooling.sentences.baseline` {result}`pooling.sentences.last_sae`
# :::
# ::::

# %%
study.figure("sae")

# %% [markdown]
# :::{div} caption
# One line is a data set, one column a pooling, the number {term}`macro-F1` on test texts; yellower is higher. Read along a line: what
# changes there is changed by pooling alone. On which sets does it change little, and where does one column stand out?
# :::
#
# ## Hidden states
#
# The same poolings, now of the {term}`hidden states`: the model's own vectors, from which the SAE made its latents. A vector has no active
# latents to count. So for hidden states a count is the number of tokens in which a dimension is positive.

# %%
study.figure("hidden")

# %% [markdown]
# :::{div} caption
# The same for hidden states, in the colours of the figure above. Compare the two cell by cell, and the column *last* first: on which sets
# is it the best of its line?
# :::
#
# ## What the paper said
#
# The paper pools SAE activations by sums and by top-$n$ counts, with $n$ the number of largest latents that count on each token. It pools
# hidden states by their last token only. So its comparison of features is also one of poolings {cite}`gallifant2025`.
#
# Of the sets whose task the paper has, hollow grey marks are what it published for its middle layer: sums and counts of SAE
# features (16k), the last token of hidden states, nothing binarised (turned into on or off). Other poolings it did not score. Its model is
# Gemma 2 2B, and the miniature's texts are not its texts. What can be compared is which pooling lies above which.

# %%
study.published_figure()

# %% [markdown]
# :::{div} caption
# One panel is a data set whose task the paper has. Filled marks are this run's, their bands 95 % intervals over test texts; hollow
# marks are the paper's. Compare the diamonds at *sum* and at *top20*. Poolings have no order: a line only joins the marks of one kind.
# :::
#
# ## Which one validation chooses
#
# One pooling has to serve all sets. The table has means over the sets. The pooling with the highest {term}`validation <validation fold>`
# score is marked as chosen.

# %%
study.table()

# %% [markdown]
# Is the chosen one really ahead? As in the [chapter on layers](05_layers), its lead is measured on the test sets, which had no part in the
# choice. It is the lead over the {term}`strongest rival`, the pooling over which the lead's {term}`interval` reaches lowest. The interval
# is over data sets and texts.
#
# **SAE features.** {result}`pooling.sentences.sae` {result}`pooling.sentences.sae_new`
#
# **Hidden states.** {result}`pooling.sentences.hidden` {result}`pooling.sentences.hidden_new`
#
# The paper has two poolings of SAE features, sums and counts: in how many tokens a latent is among that token's twenty largest. In its
# result files counts are {published}`mosaic.pooling.top20_minus_sum` above raw sums. Here: {result}`pooling.sentences.counts`

# %% [markdown]
# ## The last token against the mean
#
# The published hidden-state baseline reads the last token. Is that fair to it? The table has the score with mean pooling minus the score
# with the last token, averaged over the sets. Below zero, the last token is the better one.

# %%
study.last_table()

# %% [markdown]
# {result}`pooling.sentences.last_hidden`
#
# {result}`pooling.sentences.last_sae`

# %% [markdown]
# ## A mean weighted by inverse firing frequency
#
# A word that stands in every text, such as "the", tells little about one of them. {term}`TF-IDF` therefore gives it less weight. A latent
# that fires in every text tells little, too. Would the same weight help? It is called {term}`inverse firing frequency`. A latent's mean is
# multiplied by
#
# $$\ln\frac{1+n}{1+n_j}+1,$$
#
# where $n$ is the number of training texts, $n_j$ in how many of them latent $j$ is active, and $\ln$ the natural logarithm. The more texts
# it is active in, the smaller the weight.
#
# *What could be wrong?* Probes in this book {term}`standardise` each column, which divides any such weight out again. So here a probe reads
# the means as they are, with the weight and without it, and the standardising probe stands beside.

# %%
study.weighted_table()

# %% [markdown]
# {result}`pooling.sentences.weighted`

# %% [markdown]
# ## What it says
#
# {result}`pooling.sentences.baseline` The comparison with hidden states in
# [chapter 9](09_sae_against_baselines) therefore gives both of them every pooling, and validation chooses for each. Chapters 10
# and 11 fit too many probes for that and read both by their mean; what the mean costs each kind of features stands above.
#
# *What could be wrong?* All poolings were read at one layer. And the miniature's texts end where a model would go on, which may favour the
# last token.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: which pooling on which set?
# :class: exercise
# The table above gives means over the sets. From `study.rows`, make one with a row for each set and a column for each pooling (macro-F1
# on test, SAE features), and mark the best of each row. Does one pooling win everywhere?
# :::

# %% tags=["solution"]
import pandas as pd

rows = pd.DataFrame(study.rows)
by_set = rows.query("features == 'sae'").pivot(index="set", columns="pooling", values="macro_f1")
by_set.assign(best=by_set.idxmax(axis=1)).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: an unfair baseline
# :class: exercise
# Suppose SAE features get the best pooling of each set (by validation), and hidden states only the last token, as published. Compare
# with both sides choosing by validation. How much of the difference between the two kinds of features is a difference between poolings?
# :::

# %% tags=["solution"]
best = rows.loc[rows.groupby(["set", "features"])["validation_macro_f1"].idxmax()]
fair = best.pivot(index="set", columns="features", values="macro_f1")
last = rows.query("features == 'hidden' and pooling == 'last'").set_index("set")["macro_f1"]
means = {"both choose": (fair["sae"] - fair["hidden"]).mean()}
means |= {"hidden states: last token only": (fair["sae"] - last).mean()} if len(last) else {}
pd.Series(means, name="SAE features minus hidden states, mean over sets").round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} A latent fires with strength 2 on three of ten tokens. What are its sum, mean, max and count?
# Sum 6, mean 0.6, max 2, count 3.
# :::
#
# :::{dropdown} Which poolings depend on the length of the text?
# Sums and counts grow with the number of tokens. A mean does not, a maximum hardly does, and the last token is one token at any length.
# :::
#
# :::{dropdown} Why does a comparison of SAE features and hidden states need the same poolings on both sides?
# Otherwise it compares two things at once, and a difference cannot be put down to either.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# The row that a probe reads is a choice of yours, and it can matter more than the features. Give every side the same choices.
# :::

# needs: truth
# %% [markdown]
# # A probe, honestly
#
# *You need:* logistic regression, training and test sets. [SAEs from nothing](01_from_nothing) helps. *About 30 minutes; the cells run in
# about a minute.*
#
# **The question.** A paper says: "SAE features classify these texts with a score of 0.90." When may you believe it?
#
# **Why ask?** Every chapter of this book compares scores. A score is easy to make too high, without any bad will. This chapter does it
# on purpose, measures by how much, and shows the four habits that prevent it.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What a probe is
#
# A {term}`probe` is a simple classifier on numbers that somebody else made. Here it is logistic regression. Each text is one row
# of {term}`pooled <pooling>` {term}`latents <latent>`; the probe learns one weight for each column and class. The language model and
# the SAE stay as they are.
#
# The texts are English messages on a proposal. The label is the speaker's own stance. What others say does not count:

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import honest_probe, many_settings

plots.style()

# %%
study = honest_probe.run(profile, device=device)
study.record()
study.table()

# %% [markdown]
# The probe learns from {result}`honest_probe.n_train` texts. To test it we have what real work never has: {result}`honest_probe.n_texts`
# fresh texts of the same kind, with true labels, since this world can make as many as we like.
#
# ## Habit 1: know what is cheap
#
# {result}`honest_probe.sentences.majority` {term}`Macro-F1 <macro-F1>` is the mean over classes of F1, which asks both how many of a
# class are found and how many finds are right. The next cheap thing is a {term}`bag of words <TF-IDF>`: which words stand in
# the text, with no model at all. Then a *control*: a {term}`random dictionary`, as wide and as sparse as the SAE, with directions that
# were drawn and not learned.
#
# :::{admonition} Predict before you look
# :class: tip predict
# Put in order: majority class, bag of words, random dictionary, {term}`hidden states` (the vectors themselves), SAE features.
# :::

# %%
study.figure()

# %% [markdown]
# :::{dropdown} Answer
# {result}`honest_probe.sentences.words` {result}`honest_probe.sentences.random` {result}`honest_probe.sentences.hidden`
# :::
#
# *What could be wrong?* One set of one kind of texts. [Chapter 9](09_sae_against_baselines) does it on ten sets,
# [chapter 11](11_training_worth) asks at length what training an SAE is worth.
#
# ## Habit 2: touch the test set once
#
# A probe has settings: which layer, which pooling, how strong a penalty. Here there are {result}`honest_probe.n_settings`. It is tempting
# to try all and report the best. The fresh texts are cut into {result}`honest_probe.n_test_sets` test sets of
# {result}`honest_probe.per_test_set`. On each, the best setting is chosen *by its score there*. Then it is scored on all other texts.
#
# :::{admonition} Predict before you look
# :class: tip predict
# The more settings are tried, the better the best one looks. Does it also get better? The gap
# between the two is called {term}`optimism`.
# :::

# %%
study.optimism_figure()

# %% [markdown]
# :::{dropdown} Answer
# {result}`honest_probe.sentences.optimism` The honest way is {term}`nested selection`: the setting is chosen on folds of the training set.
# {result}`honest_probe.sentences.nested` It is the setting *{result}`honest_probe.nested.setting`*.
# :::
#
# Is that much? {result}`honest_probe.sentences.size` A careless choice can decide which method "wins" {cite}`cawley2010`.
#
# Now the same with labels that were shuffled, on both sides. There is nothing to learn.

# %%
study.optimism_figure(shuffled=True)

# %% [markdown]
# {result}`honest_probe.sentences.shuffled`
#
# ## Habit 3: say how sure you are
#
# A score on {result}`honest_probe.per_test_set` texts would be another one on another hundred. A 95 % *interval* is made so that it holds the
# true score in about 19 of 20 cases. It is made by drawing the test texts anew, with repetition, two thousand times (the *bootstrap*).
# We can check it: the same probe on each of the {result}`honest_probe.n_test_sets` test sets, with the score on all texts as a line.
#
# :::{admonition} Predict before you look
# :class: tip predict
# How many of the intervals will miss the line?
# :::

# %%
study.intervals_figure()

# %% [markdown]
# :::{dropdown} Answer
# {result}`honest_probe.sentences.coverage`
# :::
#
# ## Habit 4: compare on the same texts
#
# To ask which of two classifiers is better, score both on the *same* texts and look at the difference. Hard texts are hard for both; that
# cancels. The *paired* interval resamples texts with both answers together. If it holds zero, the two cannot be told apart.

# %%
study.pairing_figure()

# %% [markdown]
# {result}`honest_probe.sentences.pairing`
#
# *What could be wrong?* An interval knows nothing of texts of another kind, of wrong labels, or of a test set that was looked at before.
#
# ## Takeaway
#
# :::{admonition} Takeaway
# :class: important takeaway
# Beat the cheap things first, and a control that learned nothing. Choose on the training set. Give an interval. Compare on the same
# texts. Look for all four whenever somebody compares scores, in this book, too.
# :::
#
# ## Exercises

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1
# :class: exercise
# How large must a test set be? `many_settings.table(study.many, numbers)` cuts the same fresh texts into other numbers of test sets. Compare 40 small
# ones with 5 large ones. When is choosing on the test set most dangerous?
# :::

# %% tags=["solution"]
many_settings.table(study.many, (40, 20, 5))

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2
# :class: exercise
# Which mistakes does the probe make? `study.errors_table(n)` shows `n` of them. Is there a
# pattern?
# :::

# %% tags=["solution"]
study.errors_table(6)

# %% [markdown]
# :::{dropdown} Answer
# Look for two opinions in one message, for negation ("not against"), and for quotation marks. The label hangs on who speaks.
# :::

# %% [markdown]
# ## Test yourself
#
# **1.** A classifier has an accuracy of 0.90 on texts of which 90 % are of one class. Is it good?
#
# :::{dropdown} Answer
# It may be no better than saying that class every time. Macro-F1 would tell.
# :::
#
# **2.** You tried 100 settings and report the best score on the test set, with its interval. What is wrong?
#
# :::{dropdown} Answer
# The interval is around a number that is too high: it was chosen for being high. It says nothing about the choice.
# :::
#
# **3.** The SAE probe scores 0.85 and the random dictionary 0.84, the interval of the difference holds zero. What may you say?
#
# :::{dropdown} Answer
# That they cannot be told apart here. Not that they are equal, and not that the latents mean nothing: the score alone does not tell.
# :::

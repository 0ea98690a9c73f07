# needs: truth
# %% [markdown]
# # A probe, honestly
#
# **The question.** A paper says: "SAE features classify these texts with a score of 0.90." When may you believe it?
#
# **Why ask?** Take a hundred coins and toss each ten times. One of them will look unfair. Scores are like that: try many classifiers,
# keep the best, and it looks better than it is. Nobody has to cheat. Every chapter of this book compares scores. This one makes a score
# too high on purpose, measures by how much, and shows four habits that prevent it.
#
# **The answer** (skip it if you want to predict). Ask first whether it was chosen on the texts that it is reported on.
# {result}`honest_probe.sentences.optimism`
#
# *You need:* logistic regression, training and test sets. *You do not need:* anything about SAEs, though
# [SAEs from nothing](01_from_nothing) helps. *About 14 minutes; the cells run in about a minute.*
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What a probe is
#
# A {term}`probe` is a simple classifier on numbers that somebody else made. Here it is logistic regression. Each text is one row of
# numbers, and the probe learns one weight for each column and class.
#
# Where do the numbers come from? A language model reads the text and makes a vector for each word. A {term}`sparse autoencoder` (SAE)
# rewrites that vector as many numbers, its {term}`latents <latent>`, most of them zero. {term}`Pooling <pooling>` puts the latents of all
# words into one row. The language model and the SAE stay as they are; only the probe learns.
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
# The cheapest classifier of all always gives the same answer. {result}`honest_probe.sentences.majority`
#
# Why two numbers? The share of correct answers is the *accuracy*. It flatters a classifier that ignores rare classes.
# {term}`Macro-F1 <macro-F1>` does not. For each class it asks two things: how many texts of the class were found, and how many of the
# finds are right? F1 is one number for both, between 0 and 1. Macro-F1 is the mean of F1 over classes, so that each class counts the same.
#
# The next cheap thing is a {term}`bag of words <TF-IDF>`: which words stand in the text, with no language model at all. Then a *control*: a
# {term}`random dictionary`, an SAE whose directions were drawn by chance and not learned, as wide and as sparse as the real one.
#
# :::{admonition} Predict before you look
# :class: tip predict
# Put in order: majority class, bag of words, random dictionary, {term}`hidden states` (the model's vectors themselves, without an SAE),
# SAE features.
# :::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# Each mark is one classifier on all fresh texts, with its settings chosen on training texts; the bar is its 95 % {term}`interval`.
# Look which steps from one line to the next are longer than the bars.
# :::
#
# :::{dropdown} Answer
# {result}`honest_probe.sentences.words` {result}`honest_probe.sentences.random` {result}`honest_probe.sentences.hidden`
# :::
#
# Behind each difference stand two numbers, its 95 % {term}`interval`. Habit 3 explains it; for now: if zero lies between the two, nobody
# can say which is better.
#
# *What could be wrong?* One set of one kind of texts. [Chapter 9](09_sae_against_baselines) does it on ten sets,
# [chapter 11](11_training_worth) asks at length what training an SAE is worth.
#
# ## Habit 2: touch the test set once
#
# A probe has *settings*, which somebody must choose: from which layer of the model the vectors are read, how words are pooled, and how
# strongly large weights are punished. (The last is called $C$: the smaller, the {term}`stronger the penalty <regularisation strength>`.)
# Here there are {result}`honest_probe.n_settings` combinations. It is tempting to try all and report the best.
#
# We do exactly that, many times. The fresh texts are cut into {result}`honest_probe.n_test_sets` test sets of
# {result}`honest_probe.per_test_set`. On each, the best setting is chosen *by its score there*. Then it is scored on all other texts.
# The first score is what the test set *promised*, the second what was *kept*. The figure's third line, nested selection, is the honest way,
# explained below it.
#
# :::{admonition} Predict before you look
# :class: tip predict
# The more settings are tried, the better the best one looks. Does it also get better? The gap
# between the two is called {term}`optimism`.
# :::

# %%
study.optimism_figure()

# %% [markdown]
# :::{div} caption
# Across, how many settings were tried; a mark is a mean over the test sets and over random draws of so many settings. Watch the gap
# between *promised* and *kept*. The level line is one setting, which saw no test set. The vertical axis does not begin at zero.
# :::
#
# :::{dropdown} Answer
# {result}`honest_probe.sentences.optimism`
# :::
#
# The honest way is {term}`nested selection`. Cut the *training* set into parts, called {term}`folds <validation fold>`. Train on all but
# one, score on the one left out, and let each part be left out once. Choose the setting with the best mean. The test set is then
# touched once. {result}`honest_probe.sentences.nested` It is the setting *{result}`honest_probe.nested.setting`*.
#
# Is that much? {result}`honest_probe.sentences.size` A careless choice can decide which method "wins" {cite}`cawley2010`.
#
# Now the same with labels that were shuffled, in training and test alike. There is nothing to learn.

# %%
study.optimism_figure(shuffled=True)

# %% [markdown]
# :::{div} caption
# The same where labels mean nothing, so that guessing (*chance*) is the best that can be kept. Whatever *promised* has above chance,
# choosing on the test set has made up.
# :::
#
# {result}`honest_probe.sentences.shuffled`
#
# ## Habit 3: say how sure you are
#
# Another {result}`honest_probe.per_test_set` texts would give another score. A 95 % *interval* is made so that it holds the true score
# in about 19 of 20 cases.
#
# How can one know that from a single test set? By the {term}`bootstrap`: draw as many texts from the test set at random, some twice and
# some not at all, and score again. Do it two thousand times. Where the middle 95 % of these scores lie is the interval.
#
# Here we can check it, with the same probe on each of the {result}`honest_probe.n_test_sets` test sets. Its score on all fresh texts is
# nearly the true one.
#
# :::{admonition} Predict before you look
# :class: tip predict
# How many of the intervals will miss the score on all fresh texts?
# :::

# %%
study.intervals_figure()

# %% [markdown]
# :::{div} caption
# Each line is one test set: the mark is the probe's score there, the bar its 95 % interval. The dashed line is its score on all fresh
# texts. Count the bars that do not reach it.
# :::
#
# :::{dropdown} Answer
# {result}`honest_probe.sentences.coverage`
# :::
#
# ## Habit 4: compare on the same texts
#
# Which of two classifiers is better? Score both on the *same* texts and look at the difference. Hard texts are hard for both; that
# cancels. The *paired* interval draws each text anew together with both answers to it. If it holds zero, the two cannot be told apart.

# %%
study.pairing_figure()

# %% [markdown]
# :::{div} caption
# One difference with two intervals: above, both classifiers on the same texts; below, as if each had been scored on texts of its own.
# At the upright line the two are level. Compare the lengths of the bars.
# :::
#
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

# %% [markdown]
# # What do latents mean?
#
# A latent is a number. To say what it *means*, the field shows its contexts to a large language model, asks for a sentence, and asks
# another one how well that sentence tells where the latent fires {cite}`paulo2024`. Here nobody is asked: an {term}`explanation` is the
# place and the up to {result}`interpretation.tokens` tokens that tell best where a latent fires, found by counting, and its judge is
# that rule itself. The questions are the published ones; explainer, judge, models and texts
# are not, so compare orders, not levels. And in the miniature, where factors are known, there is a question that no real model can
# answer: how often is what is said of a latent *right*?
#
# What came out: {result}`interpretation.sentences.lead` (Balanced accuracies; chance is one half. Published detection, with language models:
# {published}`interpretation.detection.trained` for trained SAEs, {published}`interpretation.detection.units` for neurons,
# {published}`interpretation.detection.random` for random ones.)
#
# {result}`interpretation.sentences.labels`
#
# :::{admonition} Before you read
# :class: before
# You know what a latent is ([chapter 3](03_text_to_features)) and balanced accuracy: chance is .5. About 15 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_texts = 3000
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import interpretation

plots.style()

# %%
study = interpretation.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## Some latents, none of them picked
#
# The table goes from the best to the worst explained latent, at equal distances. *What it fires on* was counted on even texts;
# *detection* was measured on odd ones. A causal model also has an output side {cite}`gurarieh2025`: *what its decoder row writes* are
# the tokens that the row raises through the unembedding, and *what it changes* those that become more probable where it is amplified.

# %%
study.examples_table()

# %% [markdown]
# The contexts of two of them, one of each tenth of the contexts in which they fire, weakest first. Each token is shaded by the
# latent's activation. An explanation that is made of the strongest contexts alone may not hold for the weakest.

# %%
study.contexts()

# %% [markdown]
# ## How well do explanations tell?
#
# A context is a window of {result}`interpretation.context` tokens. *Detection*: does the latent fire in it? Half of the contexts are active
# ones, evenly from all tenths; the others are drawn from all silent ones, or are the silent ones with the most words in common.
# *Fuzzing*: are the marked tokens those it fires on? All three are balanced accuracies, chance is one half.
#
# ::::{admonition} Predict before you look
# :class: predict
# Explanations are scored by how well they tell where a latent fires. Rank: latents of a trained SAE, single hidden units, a random
# dictionary, an SAE of an untrained model, and the explanation of another latent.
#
# :::{dropdown} What came out
# {result}`interpretation.sentences.detection`
# :::
# ::::

# %%
study.scores_figure()

# %% [markdown]
# {result}`interpretation.sentences.detection` {result}`interpretation.sentences.rates`
#
# {result}`interpretation.sentences.fuzzing`
#
# {result}`interpretation.sentences.near`
#
# {result}`interpretation.sentences.chance` So much is chance. A median
# below it, among contexts with the same words, means that an explanation's words stand more often in the silent contexts, which were
# picked for having them. The published medians are {published}`interpretation.detection.trained` (trained),
# {published}`interpretation.detection.units` (neurons), {published}`interpretation.detection.random` (random) and
# {published}`interpretation.detection.shuffled` (another's explanation) in detection.
#
# ## Strong and weak activations

# %%
study.figure()

# %% [markdown]
# {result}`interpretation.sentences.deciles`
#
# ## Do scorers agree?
#
# More scorers judge a few of the latents, those for which this profile has what they need. *Surprisal*: does the profile's own model find active contexts less surprising after
# it has read the explanation? *Embedding*: are they closer to it, to a sentence encoder? *Intruder* needs no explanation: which of
# five contexts is the one in which the latent is silent (chance is one in five)?

# %%
study.agreement_table()

# %% [markdown]
# {result}`interpretation.sentences.agreement`
#
# ## How often is a label right?
#
# A label is read without its latent. Its tokens mark documents; the factor that the marked documents have in common is what it
# means. It is right if that is the factor which the latent itself tracks best, of all factors of the miniature (the largest area under the
# ROC curve, above {result}`interpretation.named`, of telling messages with the factor from those without).

# %%
study.labels_figure()

# %% [markdown]
# {result}`interpretation.sentences.labels` By SAE:

# %%
study.by_sae()

# %% [markdown]
# ## All numbers

# %%
study.table()

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: strong activations flatter
# :class: exercise
# `study.summary()["deciles"]` has the accuracy of detection from the weakest tenth of activations to the strongest. Compare the lead of the
# trained SAE over the random dictionary when only the strongest tenth is shown, as examples usually are, with the mean over all tenths.
# :::

# %% tags=["solution"]
import numpy as np
import pandas as pd

deciles = pd.DataFrame(study.summary()["deciles"], index=range(1, 11)).rename_axis("decile")
lead = deciles.sub(deciles["random dictionary"], axis=0).drop(columns="random dictionary")
pd.DataFrame({"strongest tenth": lead.iloc[-1], "all tenths": lead.mean()}).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: a label by two roads
# :class: exercise
# `study.summary()["labels"]` (where factors are known) tells how often a label names the factor that its latent tracks. Show the shares with
# their intervals, the best first. Whose intervals overlap?
# :::

# %% tags=["solution"]
labels = study.summary()["labels"]
rows = {name: [found["value"], *found["interval"]] for name, found in labels.items()}
pd.DataFrame(rows, index=["right", "low", "high"]).T.sort_values("right", ascending=False).round(3) if rows else "no factors are known here"

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why are half of the non-activating contexts not enough as a test of an explanation?
# Random contexts differ from activating ones in all their words, so a vague explanation passes. Contexts with much the same words, in which
# the latent is silent, are the hard test.
# :::
#
# :::{dropdown} Why must a latent that fires on one rare token not count as well understood?
# Any table of tokens predicts it without fail. The score says that it is simple, not that it stands for something.
# :::
#
# :::{dropdown} What does the explanation of another latent control for?
# For what is reached without knowing this latent, by how often latents fire and by words that are everywhere.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Score explanations on all strengths, against silent contexts that look alike, and beside a dictionary that learned nothing.
# {result}`interpretation.sentences.near`
# :::

# %% [markdown]
# # What do latents mean?
#
# A {term}`latent` is a number. What does it *mean*? The usual way: show a large language model where the latent fires, ask for a
# sentence, and ask another model how well that sentence tells where it fires {cite}`paulo2024`. Say the sentence is "insults".
# It is worth something if it finds the latent in texts that nobody has looked at, and better than a sentence about a latent that
# learned nothing. Here no language model is asked. An explanation is a few tokens, found by counting.
#
# An explanation has to pass three tests. {term}`Detection <detection>`: does the latent fire in this context? The same again among
# contexts with much the same words. {term}`Fuzzing <fuzzing>`: on which tokens of a context does it fire? (The
# {term}`detection score` of the chapter on shared latents is another number with nearly this name. It goes token by token through all
# texts; detection says yes or no to a whole context.)
#
# **The answer** (balanced accuracies; chance is one half): {result}`interpretation.sentences.lead`
#
# :::{admonition} Before you read
# :class: before
# You know what a latent is ([chapter 3](03_text_to_features)) and balanced accuracy: chance is .5. About 15 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The explanation.** An {term}`explanation` is a place (the token itself, or one or two before it) and up to
# {result}`interpretation.tokens` tokens. It says that the latent fires where one of these tokens stands at that place. Place and
# tokens are those that tell best where the latent fires.
#
# **The judge** is that rule itself: it is applied to texts, and nobody is asked.
#
# **The texts.** {result}`interpretation.n_texts` held-out texts are read, {result}`interpretation.n_tokens` tokens. The even ones make the
# explanations, the odd ones judge them.
#
# **The latents.** One trained SAE of the middle layer is judged, and in its place, on the same texts and as sparse:
#
# - *hidden units*: the coordinates of the {term}`residual stream`, each counted twice, up and down;
# - {term}`random dictionaries <random dictionary>` of the same width, which learned nothing;
# - an *SAE of the untrained model*, trained on a model with random weights, where there is one;
# - *another's explanation*: each latent of the trained SAE, judged by the words of another one. This is chance.
#
# A latent is judged if it fires in enough contexts, and is silent in enough. That leaves
# {result}`interpretation.sets.trained SAE.detection.n` latents of the trained SAE, {result}`interpretation.sets.hidden units.detection.n`
# hidden units and {result}`interpretation.sets.random dictionary.detection.n` latents of random dictionaries.
#
# **Intervals** are 95 % over latents, which are drawn again with replacement; the texts stay, and so does the SAE. They say what
# other latents of such a dictionary would give, not what another seed would.
#
# The questions are the published ones. Explainer, judge, models and texts are not, so compare orders, not levels.

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
# *detection* was measured on odd ones. A causal model, one that predicts the next token, also has an output side
# {cite}`gurarieh2025`. *What its decoder row writes* are the tokens that the row raises when it is multiplied with the model's
# output matrix. *What it changes* are those that become more probable where the latent is amplified. The last columns name a
# class of a labelled set in whose texts it fires more, and, where factors are known, the factor that it tracks.

# %%
study.examples_table()

# %% [markdown]
# The next picture has contexts of two of them. An explanation that is made of the strongest contexts alone may not hold for the
# weakest, so there is one context from each tenth of those in which the latent fires.

# %%
study.contexts()

# %% [markdown]
# :::{div} caption
# Each strip is one context of the latent whose number it has, from the weakest tenth to the strongest. Shades are relative: the token
# where a strip's activation is largest has the full shade. Are they the same kind of token in the first strips as in the last?
# :::
#
# ## How well do explanations tell?
#
# A context is a window of {result}`interpretation.context` tokens. Three questions are asked of each latent's explanation:
#
# - {term}`Detection <detection>`: does the latent fire in this context? Half of the contexts are active ones, evenly from the
#   weakest tenth to the strongest. The others are drawn from all silent ones.
# - *Detection, alike contexts*: the same, but the silent contexts are those that have the most words in common with the active ones.
# - {term}`Fuzzing <fuzzing>`: are the marked tokens of this context the ones on which it fires? Each active context is shown twice: once
#   with the right tokens marked, once with as many others, on which it fires weakly or not at all.
#
# All three are balanced accuracies: the mean of the share of "yes" that is right and the share of "no" that is right. Always saying yes
# gives one half.
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
# :::{div} caption
# A mark is the median latent of one dictionary, its bar 95 % over latents; each group of marks is one test, in which chance is grey.
# Compare the trained SAE, on top of each group, with the marks below it: does every test set it apart?
# :::
#
# {result}`interpretation.sentences.detection`
#
# A few tokens tell more of a latent that fires on few. So latents are also compared at equal rates: each latent of the other
# dictionary beside the trained SAE's latent whose firing rate is nearest. {result}`interpretation.sentences.rates`
#
# {result}`interpretation.sentences.near`
#
# {result}`interpretation.sentences.fuzzing`
#
# {result}`interpretation.sentences.chance` So much is chance. A median below it, among contexts with the same words, means that an
# explanation's words stand more often in the silent contexts, which were picked for having them.
#
# **What the paper said.** In detection, with language models as explainer and judge, the published medians are
# {published}`interpretation.detection.trained` (trained), {published}`interpretation.detection.units` (neurons),
# {published}`interpretation.detection.random` (random) and {published}`interpretation.detection.shuffled` (another's explanation).
#
# ## Strong and weak activations
#
# The contexts of each latent are sorted by activation and cut into tenths. Is detection as good in each?

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# A line is one dictionary: the mean detection of its latents, from the weakest tenth of their contexts (1) to the strongest (10); bands
# are 95 %. Look how much of a line's lead over the others is left at the weak end.
# :::
#
# {result}`interpretation.sentences.deciles`
#
# ## Do scorers agree?
#
# If two ways to score explanations rank latents in different orders, at least one of them measures something else. More scorers judge
# a few latents of the trained SAE, drawn at random; each needs something that not every profile has.
#
# - *Surprisal*: does the profile's own model find active contexts less surprising after it has read the explanation?
# - *Embedding*: does a sentence encoder find active contexts closer to the explanation than silent ones?
# - *Intruder* needs no explanation: which of five contexts is the one in which the latent is silent? Chance is one in five.
#
# The table has rank correlations of scores over latents (Spearman's), and the published ones beside them.

# %%
study.agreement_table()

# %% [markdown]
# {result}`interpretation.sentences.agreement`
#
# ## How often is a label right?
#
# In the miniature, where {term}`factors <factor>` are known, there is a question that no real model can answer: is what is said of a
# latent *true*? Two roads lead to a factor, and they are compared.
#
# The first road is the latent's own: of all factors, the one that it tracks best on messages, that is, with the largest {term}`AUROC`.
# Only latents whose AUROC is above {result}`interpretation.named` are asked. The second road is its label's, read without the
# latent: the label's tokens mark documents, and the factor that the marked documents tell best is what the label means. A label is
# right if both roads end at one factor. Where two labels are taken together, the one that tells its factor better is believed.
# Intervals are over factors, since latents of one factor are no independent witnesses.

# %%
study.labels_figure()

# %% [markdown]
# :::{div} caption
# A mark is the share of latents whose label names the factor that they track, for one way to make labels, with 95 % over factors. The
# lowest line is luck: the label of another latent. Look how far each way is from it, and from one.
# :::
#
# {result}`interpretation.sentences.labels` By SAE:

# %%
study.by_sae()

# %% [markdown]
# ## All numbers
#
# **What could be wrong.** A high score is not yet a meaning: a latent that fires on one rare token is explained without fail. An
# explanation of a few tokens is a simple one; a latent that needs a sentence to explain scores low here, whatever it means. And one
# SAE was judged, so another seed may give other medians.

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
# Score explanations on all strengths, against silent contexts that look alike, and beside a dictionary that learned nothing; and do not
# report the one score that tells them apart alone. {result}`interpretation.sentences.near` {result}`interpretation.sentences.detection`
# {result}`interpretation.sentences.rates`
# :::

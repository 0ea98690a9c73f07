# %% [markdown]
# # What is a trained SAE worth?
#
# The controls of [chapter 9](09_sae_against_baselines) ask it of all latents at once, at an equal budget:
# {result}`sae_against_baselines.sentences.learned` Perhaps training shows in *few* latents, where each must stand for
# something by itself, and not in all of them, where many poor ones may make up for a good one. Here every number of latents is
# asked, from one to all.
#
# {result}`training_worth.sentences.answer`
#
# {result}`training_worth.sentences.on_these_sets` {result}`training_worth.sentences.PCA components`
#
# It is an open question of the field, and others have answers to parts of it:
#
# - On {published}`worth.probes.sets` data sets, probes on SAE latents have no consistent gain over an ensemble of
#   baselines {cite}`kantamneni2025`.
# - SAEs with frozen random parts come near trained ones: {published}`worth.probing.frozen` against
#   {published}`worth.probing.trained` in sparse probing, {published}`worth.interpretability.frozen` against
#   {published}`worth.interpretability.trained` in automatic interpretability {cite}`korznikov2026`.
# - SAEs on language models with random weights score alike in automatic interpretability, so that random baselines are
#   asked for {cite}`heap2025`.
# - A difference of class means, or a linear probe, detects concepts at an AUROC of {published}`worth.detection.low` to
#   {published}`worth.detection.high`, and SAEs do not compete {cite}`wu2025`.
#
# These values are known from secondary notes, not from the papers' full texts.
#
# How it was measured here:
#
# - **Families.** The *trained SAE* of layer {result}`training_worth.layer` and width {result}`training_worth.width` (all its
#   seeds: {result}`training_worth.n_draws.trained SAE`); {result}`training_worth.n_draws.random dictionary` *random
#   dictionaries* of its width, row norms and mean number of active latents; where the profile has them, an SAE *with a frozen
#   decoder*, whose encoder alone learned by the same recipe, and an *SAE of an untrained model*, which learned the residual
#   stream of the same model with random weights and is read there; {result}`training_worth.n_draws.random directions`
#   draws of *random orthogonal directions* of the residual stream; *PCA components* (of training rows alone); the *hidden
#   units* themselves; and, as one feature, the *difference of class means*, which has seen the labels (of more than two
#   classes: of the one that is farthest from the rest).
# - **One rule for all.** The $k$ features whose class means differ most, found within the training fold; a linear probe on
#   them, $C$ chosen on validation from one grid. One pooling, the {result}`training_worth.pooling`: it is linear, so that a
#   direction may be taken before or after it.
# - **Win, tie, loss.** A win or a loss has its whole 95 % interval on one side of zero. A tie is no proof that two are
#   equal. Intervals are over texts and draws (seeds, dictionaries, rotations); those of a mean over sets are over the sets as
#   well, since the sentence is about sets there could be. Where the SAE has one seed, they say nothing of other seeds.
#
# :::{admonition} Before you read
# :class: before
# You know the controls of [chapter 9](09_sae_against_baselines). About 20 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
pooling = "mean"
n_texts = 2000  # on which latents are predicted
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import training_worth

plots.style()

# %%
study = training_worth.run(profile, pooling=pooling, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## Where it wins, ties and loses
#
# Trained SAE minus random dictionaries, by data set and number of latents: teal where the trained SAE is ahead, ochre where
# the random dictionaries are. A frame and bold digits mark what the interval decides; the rest are ties.
#
# ::::{admonition} Predict before you look
# :class: predict
# A random dictionary has as many latents, as sparse, but has learned nothing. With how many latents will the trained one be ahead: with
# one, with eight, with all?
#
# :::{dropdown} What came out
# {result}`training_worth.sentences.answer`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# {result}`training_worth.sentences.set_by_set`
#
# ## In new words
#
# The same messages in synonyms that no training text of the set has.

# %%
study.new_words_figure()

# %% [markdown]
# {result}`training_worth.sentences.answer_new_words`
#
# {result}`training_worth.sentences.new_words`
#
# ## Against features that are no dictionary
#
# A random dictionary is one control. Features that no SAE is needed for are another: if a few principal components did as
# well as a few latents, training an SAE would buy little. Bands are 95 % over texts and draws; a band of one family says
# nothing about differences, which the table has. Every feature is scaled to unit variance, so that with *all* components the
# smallest weigh as much as the largest.

# %%
study.curves()

# %%
study.table()

# %% [markdown]
# {result}`training_worth.sentences.supervised`
#
# {result}`training_worth.sentences.random directions` {result}`training_worth.sentences.hidden units`
# {result}`training_worth.sentences.no_dictionary_new_words`
#
# {result}`training_worth.sentences.levels`
#
# ## SAEs that learned in part
#
# What of the training counts: that of the language model, of the decoder, or of the encoder? {result}`training_worth.sentences.partly`
#
# ## Easier to read?
#
# Scores of probes are one use. Another is reading: can it be told in a line when a latent fires? No person and no language model
# is asked here; a table of counts over the token a latent fires on and the two before it, learned on one half of the texts,
# predicts its firing on the other half. The score is the balanced accuracy (a half is chance); the next column shows what the
# explanation of *another* latent gets {cite}`paulo2024`. Intervals are over latents, and over dictionaries where there are several:
# of an SAE with one seed they say nothing of other seeds.

# %%
study.readable_table()

# %% [markdown]
# {result}`training_worth.sentences.readable`
#
# A latent that is easy to predict is not thereby worth more: one that fires on a single token would be predicted without fail.
#
# ## Where labels are few
#
# Trained SAE minus random dictionaries from a share of the training rows (five samples each, at least five rows per class), mean
# over the sets, intervals over texts, samples and sets.

# %%
study.few_labels_table()

# %% [markdown]
# {result}`training_worth.sentences.few_labels`
#
# ## What it does not say
#
# These are probes on labels that somebody chose. What an SAE may be worth beside them, to find what nobody had thought
# to label, is not measured by any probe. And a latent that does not beat a random one for these labels may still track
# something true: where the factors behind the texts are known, as on profile mini, a chapter of its own looks that up.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: wins by chance
# :class: exercise
# The figure frames what its interval decides. If training were worth nothing, about one comparison in twenty would still be framed. Count
# wins and losses over all sets and numbers of latents in `study.summary()["sets"]["first"]`, beside what chance would give.
# :::

# %% tags=["solution"]
import pandas as pd

first = study.summary()["sets"]["first"]
outcomes = pd.Series([found["outcome"] for by_size in first.values() for found in by_size.values()])
counts = outcomes.value_counts().reindex(["win", "tie", "loss"], fill_value=0)
counts["decided, by chance"] = round(0.05 * len(outcomes), 1)
counts.rename("comparisons").to_frame()

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: few latents, many latents
# :class: exercise
# From `study.summary()["mean"]` draw the mean macro-F1 of the trained SAE and of the random dictionary against the number of latents.
# Where do the two curves meet?
# :::

# %% tags=["solution"]
means = study.summary()["mean"]
curves = {family: {int(k): found["mean"] for k, found in means[family].items() if k != "all"} for family in ("trained SAE", "random dictionary")}
pd.DataFrame(curves).sort_index().round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Can a random dictionary score high without having learned anything?
# Yes. It projects the residual stream, which the language model has learned, in many directions. A probe that may weigh all of them can
# find most of what is there.
# :::
#
# :::{dropdown} Why does a tie not show that two dictionaries are equal?
# Its interval holds zero, and also differences that would matter. To show equality the whole interval must lie within a margin named
# beforehand.
# :::
#
# :::{dropdown} Why are the features found within the training fold?
# Picking the columns whose classes differ most on all rows would let the held-out rows choose them, and flatter every family, those with
# most columns the most.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Ask of every dictionary what one that learned nothing would do. {result}`training_worth.sentences.answer`
# :::

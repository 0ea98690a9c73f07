# %% [markdown]
# # What is a trained SAE worth?
#
# **The question.** Does it matter that an SAE was trained, or would random directions do?
#
# **Why ask?** To know whether a medicine works, one gives some patients a pill with nothing in it. The empty pill here is a
# {term}`random dictionary`: an SAE with as many {term}`latents <latent>`, as few of them active, and nothing learned.
# [Chapter 9](09_sae_against_baselines) compared the two with all latents at once. Many poor latents may make up for a good one. Does training
# show where only *few* are kept?
#
# **The answer.** {result}`training_worth.sentences.answer`
#
# {result}`training_worth.sentences.few_labels`
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
# With all latents at once, at an equal budget, chapter 9 found: {result}`sae_against_baselines.sentences.learned` Here every number of
# latents is asked, from one to all.
#
# On each data set, a number of latents is a *win* or a *loss* of the trained SAE where the whole 95 % {term}`interval` of its lead lies on one
# side of zero. The rest are *ties*, and a tie is no proof that two are equal.
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
# :::{div} caption
# Each square is one data set and one number of latents kept: {term}`macro-F1` of the trained SAE minus that of random dictionaries, teal
# where the trained SAE is ahead, ochre where it is behind. Frames are wins and losses: do they gather at the left? The top row is the mean.
# :::
#
# {result}`training_worth.sentences.set_by_set`
#
# {result}`training_worth.sentences.on_these_sets` The answer above speaks of sets there could be. For it the sets
# were drawn anew as well, as if others had been found.
#
# ## How it was measured
#
# - **One rule for all.** The $k$ features whose class means differ most are kept, found within the training fold. A linear {term}`probe`
#   reads them; its {term}`regularisation strength` $C$ is chosen on {term}`validation folds <validation fold>` from one list of values.
# - **One pooling for all,** the {result}`training_worth.pooling`. It is linear (it only adds and divides), so a direction may be taken before or after it.
# - **Families.** Each kind of features is a *family*:
#   - the *trained SAE* of layer {result}`training_worth.layer` and {term}`width` {result}`training_worth.width` (all its seeds:
#     {result}`training_worth.n_draws.trained SAE`);
#   - {result}`training_worth.n_draws.random dictionary` *random dictionaries* of its width, row norms (lengths of the directions) and mean
#     number of active latents;
#   - where the profile has them, an SAE with a {term}`frozen decoder`, whose encoder alone learned by the same recipe;
#   - and an *SAE of an untrained model*, which learned the {term}`residual stream` of the same model with random weights and is read there;
#   - {result}`training_worth.n_draws.random directions` draws of *random orthogonal directions* (at right angles to each other) of the
#     residual stream;
#   - *PCA components*, the {term}`principal components` of training rows alone;
#   - the *hidden units* themselves, single numbers of the {term}`hidden states`;
#   - and, as one feature, the *difference of class means*, which has seen the labels (of more than two classes: of the one that is farthest
#     from the rest).
# - **Intervals** are over texts and draws (seeds, dictionaries, rotations). Those of a mean over sets are over the sets as well, since the
#   sentence is about sets there could be. Where the SAE has one seed, they say nothing of other seeds.
#
# ## In new words
#
# The same messages in synonyms that no training text of the set has.

# %%
study.new_words_figure()

# %% [markdown]
# :::{div} caption
# The squares of the figure above, tested in new words. Hold one beside the other: a framed teal square there that has no frame here is a
# lead that new words do not show. Sets without new words have no row.
# :::
#
# {result}`training_worth.sentences.answer_new_words`
#
# {result}`training_worth.sentences.new_words`
#
# ## Against features that are no dictionary
#
# A random dictionary is one {term}`control`. Features that no SAE is needed for are another: if a few principal components did as
# well as a few latents, training an SAE would buy little.
#
# Every feature is scaled to unit variance (as large a spread as any other). So with *all* components the smallest weigh as much as the
# largest. The table below the figure has the differences, with intervals.

# %%
study.curves()

# %% [markdown]
# :::{div} caption
# Each line is one family of features, few kept at the left, all at the right; bands are 95 % over texts and draws. Look at the left, where
# a feature has to be good by itself. The dotted line across is the one *difference of class means*.
# :::

# %%
study.table()

# %% [markdown]
# {result}`training_worth.sentences.supervised`
#
# {result}`training_worth.sentences.PCA components`
#
# {result}`training_worth.sentences.random directions` {result}`training_worth.sentences.hidden units`
#
# {result}`training_worth.sentences.no_dictionary_new_words`
#
# {result}`training_worth.sentences.levels`
#
# ## SAEs that learned in part
#
# What of the training counts: that of the language model, of the decoder (the directions that are written), or of the encoder (those that
# are read)? Take one away at a time. {result}`training_worth.sentences.partly`
#
# ## Easier to read?
#
# Scores of probes are one use. Another is reading: can it be said in a line when a latent fires? No person and no language model is asked
# here. A table of counts does it: how often the latent fired on each token, and after each of the two tokens before. It
# learns on one half of the texts and predicts the latent's firing on the other half.
#
# The score is the *balanced accuracy*: the share of correct answers where the latent fires and where it does not, averaged, so that a half
# is chance. The next column shows what the explanation of *another* latent gets {cite}`paulo2024`. Intervals are over latents, and over
# dictionaries where there are several: of an SAE with one seed they say nothing of other seeds.

# %%
study.readable_table()

# %% [markdown]
# {result}`training_worth.sentences.readable`
#
# *What could be wrong?* A latent that is easy to predict is not thereby worth more: one that fires on a single token would be predicted
# without fail.
#
# ## Where labels are few
#
# Does training show where a probe has few texts to learn from? The table has the trained SAE minus random dictionaries from a share of the
# training rows (five samples each, at least five rows per class), mean over the sets, intervals over texts, samples and sets.

# %%
study.few_labels_table()

# %% [markdown]
# {result}`training_worth.sentences.few_labels`
#
# ## What could be wrong
#
# These are probes on labels that somebody chose. What an SAE may be worth beside them, to find what nobody had thought
# to label, is not measured by any probe. And a latent that does not beat a random one for these labels may still track
# something true: where the factors behind the texts are known, as on profile mini, a chapter of its own looks that up.
#
# ## What other papers said
#
# It is an open question of the field, and others have answers to parts of it:
#
# - On {published}`worth.probes.sets` data sets, probes on SAE latents have no consistent gain over an ensemble (several models together) of
#   baselines {cite}`kantamneni2025`.
# - SAEs with frozen random parts come near trained ones: {published}`worth.probing.frozen` against
#   {published}`worth.probing.trained` in sparse probing (probes on few latents), {published}`worth.interpretability.frozen` against
#   {published}`worth.interpretability.trained` in automatic interpretability, where a language model describes latents
#   {cite}`korznikov2026`.
# - SAEs on language models with random weights score alike in automatic interpretability, so that random baselines are
#   asked for {cite}`heap2025`.
# - A difference of class means, or a linear probe, detects concepts at an {term}`AUROC` of {published}`worth.detection.low` to
#   {published}`worth.detection.high`, and SAEs do not compete {cite}`wu2025`.
#
# These values are known from secondary notes, not from the papers' full texts.

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

# needs: truth
# %% [markdown]
# # The miniature world
#
# Gemma and its SAEs need a network, a licence and a GPU; and nobody knows what is in them. The models of this
# profile are small, were trained from nothing on a corpus that this project generates, and everything the corpus
# says is known, because it was drawn: language, topic, who is spoken of, the polarity of each word, negation,
# intensity, whose words they are, what is asked for and by whom.
#
# :::{admonition} Before you read
# :class: before
# Nothing is needed. This chapter shows the world in which most numbers of this book were measured. About 15 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import miniature

plots.style()

# %%
study = miniature.run(profile, device=device)
study.record();

# %% [markdown]
# ## Documents
#
# A message, then the log of a moderator or an assistant in codes that all languages share. The log's first code
# is a *composition*: "hide" means that the reader is called something bad, in the speaker's own words. A model
# that predicts it must have put the factors together by the end of the message.

# %%
study.documents_table()

# %% [markdown]
# Every word carries what it tells:

# %%
study.words_strip()

# %% [markdown]
# ## One message in five languages
#
# The labelled sets toxicity and sentiment say the same thing five times.

# %%
study.languages_table()

# %% [markdown]
# ## Labels and their cues
#
# Each message makes two statements, and the label hangs on both. The table shows what tells the label best: a count or a
# pair of counts of the whole message (how many negations, how many harmful acts), and word order (what the first
# statement has, what the second has, and the two together, as two words across the full stop would show them). Each is
# given as the share of messages it gets right. "Added up" is a reader who weighs all of them and joins none.
#
# ::::{admonition} Predict before you look
# :class: predict
# A label hangs on two statements at once. How often would a reader be right who looks at one count only, say how many negations there
# are? And one who adds up all counts?
#
# :::{dropdown} What came out
# {result}`miniature.sentences.cues`
# :::
# ::::

# %%
study.table()

# %% [markdown]
# {result}`miniature.sentences.cues` What sequences of words reach, which may learn many of them by heart, is measured in
# [chapter 9](09_sae_against_baselines), beside the features.
#
# {result}`miniature.sentences.comparisons`
#
# ## Told in training, or never told
#
# The models were trained to continue a message with its log, and so to write some of the labels that the probes of this
# book look for. The others are functions of the same factors that no log writes: whether two statements agree. The table
# says why, and in what share of the messages the log gives the label away: *by the verdict*, the codes that open the log
# before those of the first statement (hide or keep, and the mood), and *by one code*, the one code of a statement, in its
# place, that tells most.

# %%
study.told_table()

# %% [markdown]
# {result}`miniature.sentences.log`
#
# The {term}`ceiling` is what a reader scores who knows every factor. In training and validation three labels in a hundred
# are wrong, so that the same reader scores as little as {result}`miniature.lowest_validation_ceiling` there, and settings
# close to that cannot be ranked. Test labels are the truth.
#
# ## Familiar and new words
#
# Each test message is written twice: in familiar words, and in synonyms that no training text of the set has, all else
# being equal. The language models know them: their own corpus has all synonyms.
# {result}`miniature.sentences.unchanged` In stance and consensus the new words name the proposal, on which the label
# does not hang; in the other sets they are the words that matter.
#
# The set *behaviour* is of another kind: its labels were made by mini-large-it, which answered every question the corpus
# can ask, some correctly.
#
# ## Training
#
# Every choice the generator makes adds its $-\log p$, so the entropy of the corpus is known: the dashed line, in nats a
# token on documents nobody was trained on. The first quarter of the tokens has documents of one statement only, which is
# why the loss on whole documents stands still at first.

# %%
study.figure()

# %% [markdown]
# ## The dictionaries
#
# Measured on documents that neither a model nor an SAE was trained on: L0, the fraction of variance unexplained (FVU), the
# share of dead latents, and the loss recovered (how much of the loss that is lost when the block's output is set to zero
# comes back with the SAE's reconstruction in its place). "saes-large on mini-large-it" are mini-large's SAEs on the tuned model.

# %%
study.dictionaries_table()

# %% [markdown]
# ## What it says
#
# mini-small comes within {result}`miniature.models.mini-small.gap` nats per token of the corpus's entropy
# ({result}`miniature.models.mini-small.entropy`), mini-large within {result}`miniature.models.mini-large.gap`; mini-small says
# "hide" or "keep" correctly in {result}`miniature.models.mini-small.accuracy toxicity` of the messages that begin their log
# so. {result}`miniature.sentences.larger`
#
# Of the SAEs read on the model that they were trained on, the worst leaves {result}`miniature.worst_fvu` of the variance
# unexplained. The rows "saes-large on mini-large-it" are of SAEs on another model than theirs.
#
# What a miniature cannot show: how Gemma behaves. It has {result}`miniature.n_concepts` concepts and
# {result}`miniature.n_patterns` sentence patterns, and its factors are independent, as they never are in life. It shows
# whether a method finds what is there.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study` and `mosaic.world`, which writes the texts: no model runs.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: write a set yourself
# :class: exercise
# `load_cut(study.profile, name)` gives the training and test texts of a set as this profile reads them. Take the first set of
# `study.profile.datasets`: show six texts with their labels, and how many texts each class has.
# :::

# %% tags=["solution"]
import pandas as pd

from mosaic.studies.problems import load_cut

train, test = load_cut(study.profile, study.profile.datasets[0].name, study.profile.datasets[0].language)
print(pd.Series(train.labels).value_counts().to_dict())
for text, label in zip(train.texts[:6], train.labels[:6], strict=True):
    print(f"{label:8} {text}")

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: how far are the models from perfect?
# :class: exercise
# The corpus's entropy is known, so a perfect model's loss is known too. From `study.card`, make a table with each language model's held-out
# loss, the entropy, and the gap. What share of its loss is a model's own fault?
# :::

# %% tags=["solution"]
models = {name: figures for name, figures in study.card.items() if "gap" in figures}
table = pd.DataFrame(models).T[["held_out_loss", "entropy", "gap"]].astype(float)
table.assign(**{"its own fault": table["gap"] / table["held_out_loss"]}).round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why a made-up world at all?
# Because its truth can be looked up. In a real corpus nobody knows which factors are there, so no one can say which latent is right.
# :::
#
# :::{dropdown} What is the difference between a label told in training and one never told?
# The model's corpus writes the first after each message, so the model learned to predict it. The second is a function of the same factors
# that no text states: nothing made the model compute it.
# :::
#
# :::{dropdown} What can a miniature not show?
# How a large model behaves. It shows whether a method finds what is there, in a world simpler than any real one.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Here every factor of every text is known, so a latent, a probe and a label can be checked against the truth.
# {result}`miniature.sentences.log`
# :::

# needs: truth
# %% [markdown]
# # The miniature world
#
# **The question.** When a method says "this latent stands for negation", who can check it?
#
# **Why ask?** It is like marking an exam without the answers. For a large model such as Gemma nobody has them. So this project made a
# world of its own. A program draws the facts first: the language, the topic, who is meant, what is negated or quoted. Then it writes a
# message from them. Small models learned from these messages alone. So every answer can be looked up.
#
# **The answer.** In this world, anybody can. It has {result}`miniature.n_concepts` concepts and {result}`miniature.n_patterns` sentence
# patterns, and each text is kept with the facts that it was written from. Nor does it take a
# network, a licence or a GPU, as Gemma and its SAEs do.
#
# :::{admonition} Before you read
# :class: before
# Nothing is needed. This chapter shows the world in which most numbers of this book were measured. About 11 minutes.
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
# The small language models learned from documents like those below. A document is a message, then a *log*: what a moderator or an
# assistant noted about it, in codes that all languages share. Many messages mix languages on purpose; that is no error.
#
# The log's first code is a {term}`composition`: it hangs on several {term}`factors <factor>` at once. "Hide" means that the reader is
# called something bad, in the speaker's own words. A quoted insult does not count, and neither does a negated one. A model that predicts
# "hide" must have put these factors together by the end of the message.

# %%
study.documents_table()

# %% [markdown]
# The program knows of every word what it tells. Each line below is one factor and its value; the words that show it are coloured:

# %%
study.words_strip()

# %% [markdown]
# ## One message in five languages
#
# Some messages are written in several languages, with the same facts behind them. The labelled sets toxicity and sentiment say the same
# thing five times.

# %%
study.languages_table()

# %% [markdown]
# ## Labels and their cues
#
# A labelled set is a list of messages, each with a label that a {term}`probe` has to find. Each message makes two statements, and the
# label hangs on both. So no single word should be enough.
#
# Is that so? A {term}`cue` is something simple that gives a label away. The table shows the best ones, each as the share of messages it
# gets right:
#
# - *counts*, one or a pair, of the whole message: how many negations, how many harmful acts;
# - *word order*: what the first statement has, what the second has, and the two together, as two words across the full stop would show
#   them;
# - *added up*: a reader who weighs all of these and adds, but never joins two into one.
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
# {result}`miniature.sentences.cues` "Told" and "never told" are explained in the next section.
#
# A reader who learns many sequences of words by heart may do better. What such a reader reaches is measured in
# [chapter 9](09_sae_against_baselines), beside the features.
#
# {result}`miniature.sentences.comparisons`
#
# ## Told in training, or never told
#
# Did the language models see the answers while they learned? Of some labels, yes. They were trained to continue a message with its log,
# so they learned to write hide or keep, for one. A probe that looks for such a label looks for something the model was *told*.
#
# Other labels stand in no log, such as whether two statements agree. They follow from the same factors, but nothing made the model work
# them out. They were {term}`never told <told, never told>`, and they are the harder test.
#
# The table says why, and in what share of the messages the log gives the label away. *By the verdict* means: from the codes that open
# the log, before those of the first statement (hide or keep, and the mood). *By one code* means: from the one code of a statement, in
# its place, that tells most.

# %%
study.told_table()

# %% [markdown]
# {result}`miniature.sentences.log`
#
# How good can a score be at all? The {term}`ceiling` is what a reader scores who knows every factor. Labels of test messages are the
# truth. In training and validation three labels in a hundred are wrong on purpose, since in life some are. There the same reader scores as
# little as {result}`miniature.lowest_validation_ceiling`, so settings close to that cannot be ranked.
#
# ## Familiar and new words
#
# A probe may only learn which words go with which label. To find out, each test message is written twice: in
# {term}`familiar words <familiar words, new words>`, and in synonyms that no training text of the set has. All else is equal. The language models know the
# synonyms, because their own corpus has them.
#
# {result}`miniature.sentences.unchanged` In stance and consensus the new words name the proposal, on which the label
# does not hang; in the other sets they are the words that matter.
#
# The set *behaviour* is of another kind. Its labels were made by a model, mini-large-it: it answered every question the corpus can ask,
# some correctly. The label says whether it did.
#
# ## Training
#
# How well did the language models learn? In this world the best possible score is known. The program draws each choice with a known
# probability $p$, and a choice costs $-\log p$ (its *surprisal*: rare choices cost more). The mean cost per token is the corpus's
# {term}`entropy`, the dashed line below. On average no model can do better. The unit is the *nat* per token, measured on documents
# that nobody was trained on.
#
# The first quarter of the training tokens comes from documents of one statement only. That is why the loss on whole documents stands
# still at first.

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One line is one language model while it trains; a mark is a measurement on held-out documents. Top left is the loss: look how near
# it comes to the dashed line. The other panels have the share of messages, of the kind named, whose log the model begins with the
# correct code.
# :::
#
# ## The dictionaries
#
# And how well did the SAEs learn? They are measured on documents that neither a model nor an SAE was trained on, by four numbers:
#
# - {term}`L0`: how many latents are active per token;
# - the {term}`fraction of variance unexplained` (FVU): the share of the vectors that is lost;
# - the share of {term}`dead latents <dead latent>`, which never fire;
# - the {term}`loss recovered`. Put zeros in the place of the block's output, and the model's loss rises. Put the SAE's reconstruction
#   there instead: how much of that rise goes away?
#
# "saes-large on mini-large-it" are mini-large's SAEs on the tuned model, which they were not trained on.

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
# ## What could be wrong
#
# A miniature cannot show how Gemma behaves. It has {result}`miniature.n_concepts` concepts and {result}`miniature.n_patterns`
# sentence patterns, and its factors are independent, as they never are in life. It shows whether a method finds what is there.

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
# The model's corpus writes the first after each message, so the model learned to predict it. The second follows from the same factors,
# but no text states it: nothing made the model compute it.
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

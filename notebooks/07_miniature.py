# needs: truth
# %% [markdown]
# # The miniature world
#
# Gemma and its SAEs need a network, a licence and a GPU; and nobody knows what is in them. The models of this
# profile are small, were trained from nothing on a corpus that this project generates, and everything the corpus
# says is known, because it was drawn: language, topic, who is spoken of, the polarity of each word, negation,
# intensity, whose words they are, what is asked for and by whom.

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
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
# ## Labels that no cue gives away
#
# Each message makes two statements, and the label hangs on what binds to what. The table shows the single factor or
# pair of factors of the whole message that tells the label best (the share of messages it gets right), and the
# macro-F1 of a reader who knows every factor: three labels in a hundred are wrong, so nobody reaches 1. In the test
# texts half of the words that matter are synonyms no training text has.

# %%
study.table()

# %% [markdown]
# The set *behaviour* is of another kind: its labels were made by mini-large-it, which answered every question the corpus
# can ask, some rightly.
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
# mini-small comes within {result}`miniature.models.mini-small.gap` nats a token of the corpus's entropy
# ({result}`miniature.models.mini-small.entropy`), mini-large within {result}`miniature.models.mini-large.gap`; mini-small says
# "hide" or "keep" rightly in {result}`miniature.models.mini-small.accuracy toxicity` of the messages that begin their log
# so. The worst SAE leaves {result}`miniature.worst_fvu` of the variance unexplained. No factor or pair of factors tells
# any label with more than {result}`miniature.worst_cue`.
#
# What a miniature cannot show: how Gemma behaves. It has {result}`miniature.n_concepts` concepts and
# {result}`miniature.n_patterns` sentence patterns, and its factors are independent, as they never are in life. It shows
# whether a method finds what is there.

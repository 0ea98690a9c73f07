# %% [markdown]
# # From a text to its features
#
# **The question.** What does a classifier on SAE features actually read?
#
# **Why ask?** A classifier wants a table: one row per text, one column per feature. A language model gives another thing: for each
# word a list of numbers that nobody can read. Think of "this film is not bad". Somewhere in its lists stands that *bad* is negated.
# This chapter follows one sentence all the way: from words to lists of numbers, from these to features of a {term}`sparse autoencoder`
# (SAE), and from features to one row.
#
# **The answer** (skip it if you want to predict). A long row that is mostly zeros. {result}`text_to_features.sentences.sparse`
#
# :::{admonition} Before you read
# :class: before
# You know what a vector is, a list of numbers. Nothing of language models or SAEs is needed. About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## The three steps
#
# **A text becomes vectors.** A language model reads a text {term}`token <token>` by token: words, parts of words, punctuation. It works
# in {term}`blocks <block>`, one after another. After each block it keeps one vector per token, called the {term}`residual stream`. In
# signs: $x \in \mathbb{R}^d$, a vector $x$ of $d$ numbers.
#
# **A vector becomes latents.** An SAE rewrites $x$ as many numbers, its {term}`latents <latent>`, of which few are not zero:
#
# $$
# f = \sigma\big(W_\mathrm{enc}(x - b_\mathrm{dec}) + b_\mathrm{enc}\big), \qquad
# \hat{x} = W_\mathrm{dec}^\top f + b_\mathrm{dec}.
# $$
#
# The left side is the *encoder*. It multiplies the vector by a table of learned numbers, $W_\mathrm{enc}$; row $j$ of it is the
# direction that latent $j$ reads. The function $\sigma$ then sets most values to zero: it keeps what passes a threshold
# ({term}`JumpReLU`) or the $k$ largest values ({term}`TopK`). What is left is $f$, one number for each latent. A latent is *active*
# on a token where its number is above zero.
#
# The right side is the {term}`decoder`. It makes the vector again, as $\hat{x}$, by adding up the directions of active latents; row $j$
# of $W_\mathrm{dec}$ is the one that latent $j$ writes. ($^\top$ turns a table on its side, and $b_\mathrm{enc}$ and $b_\mathrm{dec}$ are
# learned shifts.) The decoder is needed to train an SAE. Classifiers read $f$.
#
# **Tokens become one row.** {term}`Pooling <pooling>` puts the latents of all tokens together, for example by adding them up. That row
# is what the classifiers of this book read {cite}`gallifant2025`.

# %% tags=["parameters"]
profile = "mini"
sentence = None  # the profile's own example
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import text_to_features

plots.style()

# %%
study = text_to_features.run(profile, sentence=sentence, device=device)
study.record();

# %% [markdown]
# ## Token by token
#
# Each line below is one latent of the SAE at the middle layer. (*Layer* is another word for block.) The darker a token, the
# more active the latent on it. Each line has its own scale. Shown are the latents with the largest sums over the sentence.
#
# A line begins with the latent's number. A name behind it says which contrast the latent tells: *language en* is English texts against
# all others, *message: negation* messages with a negation against messages without. {result}`text_to_features.sentences.names`
#
# Some tokens stand for no word: a model's own marks for where a text begins or ends (BOS, `[CLS]`, `[SEP]`). They are left out, as they
# are everywhere in this book. Gemma Scope, the published SAEs of Google's Gemma 2 models, was not trained on them; the released code of
# the paper, in the version read, pooled them.

# %%
study.table()

# %% [markdown]
# ## Sparse: few latents per token
#
# How many latents are active at once? The mean number per token is called the SAE's {term}`L0`, written $L_0$. Here it is counted on the
# sentence's {result}`text_to_features.n_tokens` tokens.
#
# ::::{admonition} Predict before you look
# :class: predict
# How many of the middle layer's latents will be active on one token: nearly all, a half, a handful?
#
# :::{dropdown} What came out
# {result}`text_to_features.sentences.sparse`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One line is a latent, the one with the largest sum at the top; one column is a token of the sentence. Blue-green is zero, a silent
# latent; the yellower a cell, the more active the latent. No latent left out has a larger sum.
# :::
#
# One sentence is not the corpus. At the end of its training this SAE had {result}`text_to_features.l0_in_training` active latents per
# token over the texts it was trained on; that is the number that *What was run* lists.
#
# ## One row per text: pooling
#
# A text of five tokens and one of fifty must both become one row. There are several ways. Take one latent: does it matter how often it
# fires, how strongly, or only where the text ends? In the table, $f_{tj}$ is how active latent $j$ is on token $t$, and $T$ is the
# number of tokens. All six ways are computed in one pass, for SAE latents and for the {term}`hidden states` (the vectors themselves) alike.
#
# | pooling | in words | value of latent $j$ | source |
# |---|---|---|---|
# | sum | added up over tokens | $\sum_t f_{tj}$ | the paper |
# | mean | the sum, divided by the number of tokens | $\frac{1}{T}\sum_t f_{tj}$ | SAEBench, a published benchmark of SAEs |
# | max | the largest value on any token | $\max_t f_{tj}$ | |
# | last | the value on the last token alone | $f_{Tj}$ | the paper's hidden-state baseline |
# | count | on how many tokens it is active | $\lvert\{t : f_{tj} > 0\}\rvert$ | |
# | top-$n$ | on how many tokens it is among that token's $n$ largest | that number of tokens | the paper, $n = 20, 50$ |

# %%
study.poolings_figure()

# %% [markdown]
# :::{div} caption
# One line is a pooling, one column a latent, those of the top lines above. Poolings have different units, so each number is a share
# of its line's largest. Read down a column: how much one latent counts in the row depends on the pooling.
# :::
#
# ## What could be wrong
#
# Our own code might compute something else than an SAE. It works out active latents only, and never holds a table of all tokens by all
# latents. SAELens, the library that the SAEs shipped here were trained with, does hold it. The two must give the same numbers:
# {result}`text_to_features.sentences.library`

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`: `study.codes` is the sparse matrix of activations, tokens by latents, `study.tokens` the tokens.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: pool by hand
# :class: exercise
# Compute sum, mean, max, last and count from `study.codes` yourself and compare with `study.pooled`. The largest difference should be
# no more than rounding.
# :::

# %% tags=["solution"]
import numpy as np

codes = study.codes.toarray()
mine = {"sum": codes.sum(0), "mean": codes.mean(0), "max": codes.max(0), "last": codes[-1], "count": (codes > 0).sum(0)}
{pooling: float(np.abs(row - study.pooled[pooling]).max().round(4)) for pooling, row in mine.items() if pooling in study.pooled}

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: latents that stand for something, latents that are always on
# :class: exercise
# Which latents fire on every token of the sentence, and which on exactly one? Which kind can tell this sentence from others?
# :::

# %% tags=["solution"]
import pandas as pd

fires = (codes > 0).sum(0)
rare = np.flatnonzero(fires == 1)
strongest = rare[np.argsort(-codes[:, rare].max(0), kind="stable")][:8]
print(f"{(fires == len(study.tokens)).sum()} latents fire on every token, {len(rare)} on exactly one; the strongest of these:")
pd.DataFrame({"latent": strongest, "token": [study.tokens[codes[:, j].argmax()] for j in strongest], "activation": codes[:, strongest].max(0)})

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} What is the difference between a row of $W_\mathrm{enc}$ and a row of $W_\mathrm{dec}$?
# The first is the direction that a latent reads: how strongly the vector points there decides whether it fires. The second is the
# direction that it writes when the vector is put together again.
# :::
#
# :::{dropdown} Why sparse? A layer of the same width that is not sparse could reconstruct just as well.
# Because few active latents per token can each be looked at. The hope is that each stands for one thing; the book tests how far that
# holds.
# :::
#
# :::{dropdown} Where is a word that appears twice in a text counted twice: in a sum, a maximum, or a count?
# In the sum and in the count. The maximum keeps the stronger of the two.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A text becomes tokens, each token a vector, each vector a few active latents, and pooling makes one row of them.
# {result}`text_to_features.sentences.sparse`
# :::

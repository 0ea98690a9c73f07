# %% [markdown]
# # From a text to its features
#
# What does a classifier on SAE features read? One sentence is followed through the model, token by token, into the
# features of one SAE and from there into the single row that stands for the text. What came out for this sentence:
# {result}`text_to_features.sentences.sparse`
#
# A language model reads a text token by token and keeps, after each of its blocks, one vector per token: the
# *residual stream*. A *sparse autoencoder* (SAE) rewrites such a vector $x \in \mathbb{R}^d$ as a few active
# *latents* out of many:
#
# $$
# f = \sigma\big(W_\mathrm{enc}(x - b_\mathrm{dec}) + b_\mathrm{enc}\big), \qquad
# \hat{x} = W_\mathrm{dec}^\top f + b_\mathrm{dec},
# $$
#
# where $\sigma$ keeps what passes a threshold (JumpReLU) or the $k$ largest values (TopK). Row $j$ of $W_\mathrm{enc}$ is
# the direction that latent $j$ reads, row $j$ of $W_\mathrm{dec}$ the one it writes. A text of many
# tokens becomes one row by *pooling* over its tokens; that row is what the classifiers of this book read
# {cite}`gallifant2025`.
#
# :::{admonition} Before you read
# :class: before
# You know vectors, and that a language model reads a text in tokens. Nothing of SAEs is needed. About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

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
# Below, each line is one latent of the middle layer's SAE; the darker a token, the more active the latent on
# it. Shown are the latents with the largest sums over the sentence. {result}`text_to_features.sentences.names`
# Special tokens (BOS, `[CLS]`, `[SEP]`) are left out, as they are everywhere in this book: Gemma Scope, the published
# SAEs of Google's Gemma 2 models, was not trained on them, and the released code of the paper, in the version read,
# pooled them.

# %%
study.table()

# %% [markdown]
# ## Sparse: few latents per token
#
# On this sentence's {result}`text_to_features.n_tokens` tokens, in the middle layer's SAE:
# {result}`text_to_features.sentences.sparse` How many are active per token on average is called the SAE's $L_0$. One
# sentence is not the corpus: at the end of its training this SAE had {result}`text_to_features.l0_in_training` active over
# the texts it was trained on, the number that *What was run* lists.
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
# ## One row per text: pooling
#
# Six poolings, in one pass, for SAE latents and hidden states alike. With $f_{tj}$ the activation of latent
# $j$ on token $t$ of $T$:
#
# | pooling | value of latent $j$ | source |
# |---|---|---|
# | sum | $\sum_t f_{tj}$ | the paper |
# | mean | $\frac{1}{T}\sum_t f_{tj}$ | SAEBench, a published benchmark of SAEs |
# | max | $\max_t f_{tj}$ | |
# | last | $f_{Tj}$ | the paper's hidden-state baseline |
# | count | $\lvert\{t : f_{tj} > 0\}\rvert$ | |
# | top-$n$ | number of tokens in which $j$ is among the $n$ largest | the paper, $n = 20, 50$ |

# %%
study.poolings_figure()

# %% [markdown]
# ## The same numbers as the library's
#
# The encoder used here computes only what is active and never holds a tokens-by-width array. It must give the
# same numbers as `encode` of SAELens, the library that the SAEs shipped here were trained with, which does.
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
# :::{dropdown} Why sparse? A dense layer of the same width could reconstruct just as well.
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

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

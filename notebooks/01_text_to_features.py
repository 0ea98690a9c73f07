# %% [markdown]
# # From a text to its features
#
# A language model reads a text token by token and keeps, after each of its blocks, one vector per token: the
# *residual stream*. A *sparse autoencoder* (SAE) rewrites such a vector $x \in \mathbb{R}^d$ as a few active
# *latents* out of many:
#
# $$
# f = \sigma\big(W_\mathrm{enc}(x - b_\mathrm{dec}) + b_\mathrm{enc}\big), \qquad
# \hat{x} = W_\mathrm{dec}\, f + b_\mathrm{dec},
# $$
#
# where $\sigma$ keeps what passes a threshold (JumpReLU) or the $k$ largest values (TopK). A text of many
# tokens becomes one row by *pooling* over its tokens; that row is what the classifiers of this book read
# {cite}`gallifant2025`.

# %% tags=["parameters"]
profile = "mini"
sentence = None  # the profile's own example

# %% tags=["hide-input"]
import numpy as np
from IPython.display import HTML

from mosaic.features import extract, pooling
from mosaic.profiles.opening import load_model, load_saes, located, select_saes
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.studies import problems

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)
(encoder,) = load_saes(chosen, lm, [chosen.middle], [chosen.width])
sentence = sentence or chosen.example
tokens, codes = extract.token_codes(sentence, lm, encoder)

# %% [markdown]
# ## Token by token
#
# Below, each line is one latent of the middle layer's SAE; the darker a token, the more active the latent on
# it. Shown are the latents with the largest sums over the sentence, named after what they track where that is
# known. Special tokens (BOS, `[CLS]`, `[SEP]`) are
# left out, as they are everywhere in this book: Gemma Scope was not trained on them, and the released code of
# the paper, in the version read, pooled them.

# %% tags=["hide-input"]
dense = codes.toarray()
leading = np.argsort(-dense.sum(0), kind="stable")[:8]
names = problems.latent_names(chosen, lm)
HTML(
    tables.token_strip(
        tokens,
        {f"{j} {names.get(f'layer_{chosen.middle}/width_{chosen.width}/{j}', '')}".strip(): dense[:, j] for j in leading},
    )
)

# %% [markdown]
# ## Sparse: few latents per token
#
# The middle layer's SAE has {result}`text_to_features.n_latents` latents; on this sentence's
# {result}`text_to_features.n_tokens` tokens, {result}`text_to_features.l0` of them are active per token on
# average. That number is the SAE's $L_0$.

# %% tags=["hide-input"]
shown = np.argsort(-dense.sum(0), kind="stable")[:24]
ax = plots.heatmap(dense[:, shown].T, [str(j) for j in shown], tokens, "activation", digits=1)
ax.set(ylabel="latent")
ax.tick_params(axis="x", rotation=60)
for text in ax.texts:
    text.set_visible(False)

# %% [markdown]
# ## One row a text: pooling
#
# Six poolings, in one pass, for SAE latents and hidden states alike. With $f_{tj}$ the activation of latent
# $j$ on token $t$ of $T$:
#
# | pooling | value of latent $j$ | source |
# |---|---|---|
# | sum | $\sum_t f_{tj}$ | the paper |
# | mean | $\frac{1}{T}\sum_t f_{tj}$ | SAEBench |
# | max | $\max_t f_{tj}$ | |
# | last | $f_{Tj}$ | the paper's hidden-state baseline |
# | count | $\lvert\{t : f_{tj} > 0\}\rvert$ | |
# | top-$n$ | number of tokens in which $j$ is among the $n$ largest | the paper, $n = 20, 50$ |

# %% tags=["hide-input"]
starts = np.array([0, len(tokens)])
pooled = pooling.pool_sparse(codes, starts, chosen.poolings)
matrix = np.stack([pooled[name].toarray()[0, leading] for name in chosen.poolings])
scaled = matrix / np.maximum(matrix.max(1, keepdims=True), 1e-9)
ax = plots.heatmap(scaled, list(chosen.poolings), [str(j) for j in leading], "share of the row's maximum")
ax.set(xlabel="latent");

# %% [markdown]
# ## The same numbers as the library's
#
# The encoder used here computes only what is active and never holds a tokens-by-width array. It must give the
# same numbers as SAELens's own `encode`, which does. On this sentence the largest difference is
# {result}`text_to_features.largest_difference`.

# %% tags=["hide-input"]
import torch
from sae_lens import SAE

source = select_saes(chosen, [chosen.middle], [chosen.width])[0]
reference = SAE.load_from_disk(str(located(source).path), dtype="float32")
ids = lm.tokenize([sentence])
x = lm.residuals(ids.ids, [chosen.middle])[chosen.middle][0][~ids.special[0]]
with torch.no_grad():
    difference = float(np.abs(reference.encode(x).numpy() - dense).max())

results.record(
    chosen.name,
    "text_to_features",
    {
        "n_tokens": len(tokens),
        "n_latents": encoder.n_latents,
        "l0": codes.nnz / len(tokens),
        "largest_difference": difference,
        "leading": leading,
    },
);

# needs: truth
# %% [markdown]
# # The truth: which latents find which factor
#
# No real model can be asked what is in it. The miniature can: its corpus is drawn from factors (who is spoken
# of, with what words, negated or not, in whose voice), and every text carries them. So here, and only here, a
# latent can be held against what it is *supposed* to find. Which factors have a latent, which have none, and would a
# dictionary that learned nothing do as well? What came out: {result}`truth.sentences.found`
# {result}`truth.sentences.random`
#
# :::{admonition} Before you read
# :class: before
# You know the miniature ([chapter 2](02_miniature)) and AUROC: the share of pairs, one text with the factor and one without, that are
# ranked right. About 15 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# For latent $j$ and factor $c$, with $z_j$ the latent's largest activation in a text,
#
# $$
# \mathrm{AUROC}_{jc} = P\big(z_j(\text{with } c) > z_j(\text{without } c)\big) + \tfrac12 P(\text{equal}).
# $$
#
# A factor is named with the kind of text that it is drawn for: *message: negation*, *request: intent music* (a request to
# play music), *fact: asked colour* (a question after somebody's colour).
#
# Whatever is chosen is chosen on one half of the texts: the latent, and where several SAEs are searched, the layer and the
# width as well. It is then scored once, on the other half. A wide dictionary, or many of them, would otherwise win by
# being searched longer. Intervals come from resampling the texts that score.

# %% tags=["parameters"]
profile = "mini"
n_texts = 160  # of each kind and language
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import truth

plots.style()

# %%
study = truth.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## A map of factors and layers
#
# The AUROC of the best latent of each layer's SAE of width {result}`truth.width`, over texts in all five languages;
# factors are sorted by the AUROC of the latent chosen from all SAEs.
#
# ::::{admonition} Predict before you look
# :class: predict
# Most factors, such as negation or who is spoken of, matter for predicting the next token. How many of them will have one latent that finds
# them: few, a half, most? How many would a dictionary of random directions find?
#
# :::{dropdown} What came out
# {result}`truth.sentences.found` {result}`truth.sentences.random`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# ## Which factors no latent finds
#
# A factor counts as found when the latent chosen for it, from {result}`truth.n_saes` SAEs of several layers and widths,
# reaches an AUROC of 0.9 on the half of the texts it was not chosen on. Those that are not found, with the
# {term}`average precision` of the same latent and, what knowing nothing would give there, the share of texts that have the
# factor:

# %%
study.table()

# %% [markdown]
# ## Toxicity, a composition
#
# Compositions are the hard ones: that a text insults its reader hangs on who is meant, on the word's polarity, on a
# negation and on whose words they are. The best latent of each layer, beside the best of a random dictionary of the same
# width and sparsity on the same layer (the mean over {result}`truth.n_suites` such dictionaries), and
# of one on a model whose weights are random. Bands are 95 % over texts, and over the random dictionaries.

# %%
study.toxicity_figure()

# %% [markdown]
# {result}`truth.sentences.toxicity` {result}`truth.sentences.toxicity_random`

# %% [markdown]
# ## In which languages?
#
# The latent chosen within one language, for the factors every language shares: the same width, the layer in the
# middle.

# %%
study.languages_figure()

# %% [markdown]
# Is it the *same* latent? Of the factors above, the middle layer's best latent is one and the same in all five
# languages for {result}`truth.same_latent`; in English and at least one other language for
# {result}`truth.same_as_english`. Of two latents that are nearly as good, chance decides which is best in a language, so
# that these are lower bounds.

# %% [markdown]
# ## Width
#
# The middle layer's dictionaries: how many factors each finds by itself.

# %%
study.widths_table()

# %% [markdown]
# {result}`truth.sentences.width`

# %% [markdown]
# ## Nothing learned, nothing found?
#
# The same search with the same budget in as many *random dictionaries*, one for each SAE, of its layer, width and
# sparsity; on the trained model ({result}`truth.n_suites` times over, with new random directions each
# time; the figures are means, and the intervals show how they differ), and once on a model whose weights are random: what
# words alone, projected at random, give away. Here, too, one half of the texts chooses layer, width and latent.

# %%
study.controls_table()

# %% [markdown]
# {result}`truth.sentences.random` {result}`truth.sentences.untrained`

# %% [markdown]
# ## What it says
#
# {result}`truth.sentences.found` {result}`truth.sentences.missed` {result}`truth.sentences.toxicity`
# {result}`truth.sentences.toxicity_random` {result}`truth.sentences.random` {result}`truth.sentences.untrained`

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: the luck of a long search
# :class: exercise
# `study.summary()["chosen"]` has, for each factor, `chosen_auroc` (on the half that chose the latent) and `auroc` (on the other half). How
# much did the choice flatter, on average, and where most?
# :::

# %% tags=["solution"]
import pandas as pd

chosen = pd.DataFrame(study.summary()["chosen"])
chosen["flattered by"] = chosen["chosen_auroc"] - chosen["auroc"]
print(f"on average {chosen['flattered by'].mean():+.4f}")
chosen.nlargest(6, "flattered by")[["factor", "layer", "width", "latent", "chosen_auroc", "auroc", "flattered by"]].round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: how strict is "found"?
# :class: exercise
# A factor counts as found at an AUROC of .9. Count the factors found at .8, .85, .9, .95 and .99. Does the answer to the chapter's question
# hang on the bar?
# :::

# %% tags=["solution"]
pd.Series({bar: (chosen["auroc"] >= bar).mean() for bar in (0.8, 0.85, 0.9, 0.95, 0.99)}, name="share of factors found").round(3).rename_axis("at an AUROC of").to_frame()

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is the latent chosen on one half of the texts and scored on the other?
# The best of thousands of latents is partly best by luck. On the half that chose it, the luck counts; on the other half it does not.
# :::
#
# :::{dropdown} A latent has an AUROC of .95 for negation. Does it *mean* negation?
# It ranks negated texts above others. It may fire for something that goes with negation here, and for more than that. A high AUROC is
# needed for meaning and does not prove it.
# :::
#
# :::{dropdown} Why compare with random dictionaries of the same width and sparsity?
# Among a thousand random directions some rank any factor fairly well. Only what lies above that can be owed to training.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Search on one half, score on the other, and let a dictionary that knows nothing search as long.
# {result}`truth.sentences.random`
# :::

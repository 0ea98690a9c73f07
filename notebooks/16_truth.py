# needs: truth
# %% [markdown]
# # The truth: which latents find which factor
#
# No real model can be asked what is in it. The miniature can. Each of its texts was drawn from {term}`factors <factor>`: who is
# spoken of, with what words, negated or not, in whose voice. So here, and only here, a {term}`latent` can be held against what it
# is *supposed* to find. Take negation: is there one latent that tells texts with a negation from texts without? Which factors have
# such a latent, which have none, and would a dictionary that learned nothing do as well?
#
# **The answer.** {result}`truth.sentences.found` {result}`truth.sentences.random`
#
# :::{admonition} Before you read
# :class: before
# You know the miniature ([chapter 2](02_miniature)) and AUROC: the share of pairs, one text with the factor and one without, that are
# ranked right. About 11 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The score.** A latent finds a factor if it is stronger in texts that have it than in texts that have not. This is measured by
# the {term}`AUROC`:
#
# $$
# \mathrm{AUROC}_{jc} = P\big(z_j(\text{with } c) > z_j(\text{without } c)\big) + \tfrac12 P(\text{equal}).
# $$
#
# Here $j$ is a latent, $c$ a factor, and $z_j$ the latent's largest activation in a text. $P$ is the share among all pairs of a text
# with the factor and a text without it; pairs with equal activations count half.
#
# **The names.** A factor is named with the kind of text that it is drawn for: *message: negation*, *request: intent music* (a request
# to play music), *fact: asked colour* (a question after somebody's colour).
#
# **Two halves.** Whatever is chosen is chosen on one half of the texts: the latent, and where several SAEs are searched, the layer
# and the width as well. It is then scored once, on the other half. A wide dictionary, or many of them, would otherwise win by being
# searched longer.
#
# **The texts.** {result}`truth.n_texts` are read, in five languages. Intervals come from drawing again the texts that score; where
# random dictionaries are compared, from these as well.

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
# Each layer's SAE of width {result}`truth.width` is searched for its best latent for each factor, over texts in all five languages.
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
# :::{div} caption
# Each square is one factor and one layer: the AUROC of that layer's best latent, the yellower the better. Look for rows that are yellow in
# one column and green in the next: such a factor is easier to find at one depth. At the top stands what is found best in any SAE.
# :::
#
# ## Which factors no latent finds
#
# A factor counts as found when the latent chosen for it, from {result}`truth.n_saes` SAEs of several layers and widths, reaches an
# AUROC of 0.9 on the half of the texts on which it was not chosen. The table has those that are not found; *undecided* means that the
# 95 % interval reaches 0.9. Their {term}`average precision` is another score of the same latent; beside it stands what knowing nothing
# would give there, the share of texts that have the factor.

# %%
study.table()

# %% [markdown]
# {result}`truth.sentences.by_interval`
#
# ## Toxicity, a composition
#
# A {term}`composition` depends on several factors at once. That a text insults its reader depends on who is meant, on the word's
# polarity, on a negation and on whose words they are. Is there nevertheless one latent for it, and does it take training to have it?
#
# The best latent of each layer's SAE is held against the best of a {term}`random dictionary` of the same width and sparsity on the same
# layer (the mean over {result}`truth.n_suites` such dictionaries), and of one on a model whose weights are random.

# %%
study.toxicity_figure()

# %% [markdown]
# :::{div} caption
# Each line follows the best latent for toxicity from layer to layer. See whether, and at which layers, *SAE features* lies above
# *random dictionary*, which learned nothing, and above *random language model*, where nothing was learned at all. Bands are 95 % over
# texts; for *random dictionary* over the {result}`truth.n_suites` dictionaries as well.
# :::
#
# {result}`truth.sentences.toxicity` {result}`truth.sentences.toxicity_gain` A random dictionary learned nothing, so whatever
# changes there from layer to layer is the model's doing.
#
# {result}`truth.sentences.toxicity_random`
#
# {result}`truth.sentences.toxicity_chosen`

# %% [markdown]
# ## In which languages?
#
# A factor may be easy to find in English and hard in Chinese. So the middle layer's SAE of the same width is searched once more, in each
# language by itself, for the factors that every language shares. Each language has its own best latent here: the English one is not
# scored in Chinese.

# %%
study.languages_figure()

# %% [markdown]
# :::{div} caption
# Each square is one factor and one language: the AUROC of the latent that finds it best in that language's texts. A square is blank where
# fewer than {result}`truth.least` texts that score have the factor. Look for a row with a green square: there the factor may be harder to
# find in that language. A single green square can be chance, since the squares have no intervals and each stands for few texts. Shown are
# those of the shared factors found best over all languages.
# :::
#
# Is it the *same* latent? Of the factors above, the middle layer's best latent is one and the same in all five languages for
# {result}`truth.same_latent`; in English and at least one other language for {result}`truth.same_as_english`. Where two latents are
# nearly as good, chance decides which is best in a language. So two different latents do not show that either fails in the other language.

# %% [markdown]
# ## Width
#
# The middle layer's dictionaries: how many factors each finds by itself, without the help of other layers and widths.

# %%
study.widths_table()

# %% [markdown]
# {result}`truth.sentences.width`

# %% [markdown]
# ## Nothing learned, nothing found?
#
# Random directions find something, too, if one searches long enough. So the same search, with the same budget, is made in as many
# *random dictionaries*, one for each SAE, of its layer, width and sparsity. One half of the texts chooses layer, width and latent
# here, too. This is done twice:
#
# - on the trained model, {result}`truth.n_suites` times over with new random directions each time; the figures are means, and the
#   intervals show how they differ;
# - once on a model whose weights are random. It shows what random directions find where nothing was trained.

# %%
study.controls_table()

# %% [markdown]
# {result}`truth.sentences.random` {result}`truth.sentences.untrained`

# %% [markdown]
# ## What it says
#
# {result}`truth.sentences.found` {result}`truth.sentences.missed`
# {result}`truth.sentences.by_interval`
#
# {result}`truth.sentences.toxicity` {result}`truth.sentences.toxicity_gain` {result}`truth.sentences.toxicity_random`
# {result}`truth.sentences.toxicity_chosen`
#
# {result}`truth.sentences.random` {result}`truth.sentences.untrained`
#
# **What could be wrong.** "Found" depends on the bar of 0.9, which the second exercise moves. A latent with a high AUROC may fire for
# something that goes with the factor. And a factor without a latent is not absent from the model: several latents together may
# tell it, which is what a {term}`probe` reads.

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
# depend on the bar?
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

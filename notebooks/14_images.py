# needs: images
# %% [markdown]
# # Do text SAEs read images?
#
# **The question.** An SAE learned from texts only. Can it tell what a picture shows?
#
# **Why ask?** Some language models also take pictures: a picture is cut into patches, and each patch enters the model like a word. It is as
# if a reader of English were handed Dutch. Perhaps what was learned from words still fits. The paper lays text SAEs on pictures, unchanged;
# there its lead over the model's own vectors is largest {cite}`gallifant2025`.
#
# **The answer.** (By {term}`macro-F1`, mean over the sets of pictures.) {result}`images.sentences.all`
#
# :::{admonition} Before you read
# :class: before
# You know {term}`pooling` and the {term}`controls <control>` of [chapter 9](09_sae_against_baselines). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import images

plots.style()

# %%
study = images.run(profile, device=device)
study.record();

# %% [markdown]
# ## The model and its pictures
#
# A vision-language model has three parts. A {term}`vision tower` turns a picture into vectors, one for each patch. A *projector* fits these
# vectors to the language model. The language model reads them as a row of {term}`tokens <image token>`, as if they were words. Here the tower
# is of a kind called SigLIP, and all was trained together on captions. The model is PaliGemma 2, or in the miniature mini-vision, which has
# mini-small behind the tower.
#
# The SAEs of the language model's texts are applied, unchanged, to the {term}`residual stream` at the image tokens. What they give is pooled
# over a picture's tokens, and a linear {term}`probe` reads it.

# %%
study.pictures()

# %% [markdown]
# :::{div} caption
# The first test pictures, one line a set. From above, the miniature's: handwritten digits; drawings labelled by their *shape*; drawings
# labelled by their *place*. Notice how much else varies in a drawing: colour and number say nothing of its label.
# :::
#
# ## All latents
#
# The table has macro-F1. What each column is:
#
# - *SAE* and *hidden states*: {term}`latents <latent>` of the text SAEs, and the language model's own vectors; both get every layer and pooling
#   alike.
# - *Random dictionary*: the mean of {result}`images.n_dictionaries` SAEs that {term}`learned nothing <random dictionary>`.
# - *Random language model*: an untrained one behind the trained tower, and the projector that was trained for the real one. A trained SAE is
#   of no use to it, so one random dictionary reads it.
# - *SAE, middle layer*: what these two are compared with. They are read at the middle layer alone, and so are held against the SAE
#   of that layer, with every pooling on both sides.
# - *Vision tower* and *pixels*: what no language model has read, that is the tower's own features and the picture itself.
#
# ::::{admonition} Predict before you look
# :class: predict
# An SAE that has seen texts alone is laid on the tokens of a picture. Will its latents tell digits, shapes and places? More than a
# dictionary of random directions?
#
# :::{dropdown} What came out
# {result}`images.sentences.all`
# :::
# ::::

# %%
study.table()

# %% [markdown]
# {result}`images.sentences.all`
#
# {result}`images.sentences.before`
#
# {result}`images.sentences.set_by_set`
#
# ## What the paper said
#
# SAE features minus hidden states on images are the paper's largest differences: {published}`mosaic.images.difference.low` to
# {published}`mosaic.images.difference.high`. How wide is the gap here?
#
# *What could be wrong?* The paper sets binarised sums beside one reading of hidden states, where here both kinds choose layer and pooling. In
# the miniature they are other sets of another model: they show how wide the gap is there.

# %%
study.published_figure()

# %% [markdown]
# :::{div} caption
# One line is one set of pictures. Filled, this run, with 95 % {term}`intervals <interval>` over images; below, hollow, the paper's
# photographs, read by PaliGemma 2 3B. On which side of the square (hidden states) does the dot (SAE features) lie, here and there?
# :::
#
# ## Few latents
#
# And with few latents (or, of hidden states, dimensions)? The same probes read those whose class means differ most.
# The curve of the random dictionaries is that of the first one; the sentence below is of all of them, over all sets.

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One panel is one set of pictures, one line one kind of features, read by few latents (or dimensions) at the left, by more at the right.
# Compare *SAE* with its control, *random dictionary*, where few are kept; bands are 95 % over images.
# :::
#
# {result}`images.sentences.few` {result}`images.sentences.few_before`
#
# How much of the image tokens does the SAE see at all? That can be measured with the middle layer's SAE: make each vector again from its
# latents, and look at what is lost. {result}`images.sentences.off_text` In the miniature these texts are messages without a log. On whole
# documents, which the same SAE was trained on, the chapter on the miniature has it leave another share.
#
# ## An SAE of image tokens
#
# Is it the training on texts that costs? In the miniature one more SAE learned the image tokens themselves, of drawings and digits that no test
# has: the same layer ({result}`images.image_tokens.layer`), {term}`width`, sparsity and number of tokens. Both have every pooling of that one
# layer to choose from. (A profile without such an SAE has no rows here.)

# %%
study.image_tokens_table()

# %% [markdown]
# {result}`images.sentences.image_tokens`

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: what the tower already knew
# :class: exercise
# `study.summary()["sets"][name]` has `macro_f1` for each kind of features. Subtract the vision tower's own score from that of the others,
# set by set. What does the language model add to the tower, and what does the SAE add to that?
# :::

# %% tags=["solution"]
import pandas as pd

sets = study.summary()["sets"]
scores = pd.DataFrame({name: {kind: found["macro_f1"] for kind, found in kinds.items() if "macro_f1" in found} for name, kinds in sets.items()})
scores.sub(scores.loc["vision tower"]).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: how foreign are image tokens?
# :class: exercise
# `study.unexplained` or `study.summary()["unexplained"]` gives the share of variance that the text SAE leaves unexplained, of texts and of
# each set of pictures. Does a set that is explained worse also score worse?
# :::

# %% tags=["solution"]
unexplained = pd.Series(study.summary()["unexplained"])
pd.DataFrame({"unexplained": unexplained, "macro-F1 of SAE features": scores.loc["SAE"]}).round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is an untrained language model behind the trained tower a good control?
# The tower's features pass through it without anything being learned on the way. What a probe still reads there was learned by the tower, not
# by the language model.
# :::
#
# :::{dropdown} Suppose a text SAE leaves most of the image tokens unexplained, and its features classify all the same. How can that be?
# A probe needs only what separates the classes. That may lie in the part that is explained, or in which latents fire at all.
# :::
#
# :::{dropdown} When are raw pixels a strong baseline, and when a weak one?
# Strong where what counts is at a fixed place, as in centred digits; weak where it may be anywhere, as in shapes drawn at random places.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# What passes through a model is not what the model added: subtract the tower, and the random dictionary.
# {result}`images.sentences.set_by_set`
# :::

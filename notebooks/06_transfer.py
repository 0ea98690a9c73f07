# needs: truth
# %% [markdown]
# # Transfer: to other languages, another model, and images
#
# Three questions of the paper {cite}`gallifant2025`, asked of the miniature: does a probe trained on English
# features read other languages; do a small model's features tell whether a larger, tuned model will answer
# right; do SAEs trained on text say anything about images?
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"
poolings = ["sum", "mean", "max"]

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import transfer

plots.style()

# %%
study = transfer.run(profile, poolings=poolings, device=device)
study.record();

# %% [markdown]
# ## Across languages
#
# Trained and tuned on English alone; tested on the same messages in five languages. The other languages share no
# words with English but people's names and some punctuation, so a bag of words can do little more than toss a coin,
# whose macro-F1 is one over the number of classes.

# %%
study.figure()

# %% [markdown]
# The mean over the four other languages. The tree is a shallow one on SAE features, which asks for a few latents by
# name instead of weighing all of them.

# %%
study.table()

# %% [markdown]
# On toxicity, SAE features reach {result}`transfer.languages.toxicity.mean.sae` abroad, the tree on them
# {result}`transfer.languages.toxicity.mean.tree` and hidden states {result}`transfer.languages.toxicity.mean.hidden`; the
# majority class has {result}`transfer.languages.toxicity.mean.majority`. On sentiment it is
# {result}`transfer.languages.sentiment.mean.sae`, {result}`transfer.languages.sentiment.mean.tree` and
# {result}`transfer.languages.sentiment.mean.hidden`, against {result}`transfer.languages.sentiment.mean.majority`.
#
# ## From the small model to the large one's behaviour
#
# Every question the corpus can ask was put to mini-large-it, and whether it answers right is the label. It knows the
# people that its corpus speaks of often. Can mini-small's features tell? No person of the test questions occurs in a
# training question, so that names cannot be learned by heart.

# %%
study.behaviour_figure()

# %% [markdown]
# Macro-F1 of mini-small's SAE features {result}`transfer.behaviour.sae` against {result}`transfer.behaviour.majority`
# for the majority class (difference {result}`transfer.behaviour.against.majority.difference`, 95 %
# {result}`transfer.behaviour.against.majority.interval`) and {result}`transfer.behaviour.tfidf` for TF-IDF
# ({result}`transfer.behaviour.against.tfidf.difference`, {result}`transfer.behaviour.against.tfidf.interval`). With
# mini-large-it's own SAE features it is {result}`transfer.behaviour.own`: the small model's view minus that is
# {result}`transfer.behaviour.difference` ({result}`transfer.behaviour.interval`).
#
# ## Images through text SAEs
#
# mini-vision is a SigLIP tower and a projector in front of mini-small, trained together on captions as PaliGemma 2 is; the
# SAEs of mini-small's texts are applied, unchanged, to the residual stream at the image tokens. Labels: handwritten
# digits; shape and place of drawings. The layer is chosen on validation, as everything is.

# %%
study.pictures()

# %%
study.images_table()

# %% [markdown]
# And with few latents? The same probes on those whose class means differ most.

# %%
study.few_latents_figure()

# %% [markdown]
# With all latents: digits {result}`transfer.images.digits.SAE.macro_f1` on SAE features,
# {result}`transfer.images.digits.random dictionary.macro_f1` on a random dictionary of equal sparsity (difference
# {result}`transfer.images.digits.against.random dictionary.difference`, 95 %
# {result}`transfer.images.digits.against.random dictionary.interval`) and
# {result}`transfer.images.digits.random language model.macro_f1` with an untrained language model behind the same tower
# ({result}`transfer.images.digits.against.random language model.difference`,
# {result}`transfer.images.digits.against.random language model.interval`). Shapes:
# {result}`transfer.images.shapes.SAE.macro_f1`, {result}`transfer.images.shapes.random dictionary.macro_f1`
# ({result}`transfer.images.shapes.against.random dictionary.difference`,
# {result}`transfer.images.shapes.against.random dictionary.interval`),
# {result}`transfer.images.shapes.random language model.macro_f1`
# ({result}`transfer.images.shapes.against.random language model.difference`,
# {result}`transfer.images.shapes.against.random language model.interval`).
#
# With {result}`transfer.images_few.k` latents: digits {result}`transfer.images_few.digits.SAE.macro_f1` against
# {result}`transfer.images_few.digits.random dictionary.macro_f1` on the random dictionary
# ({result}`transfer.images_few.digits.against.random dictionary.difference`,
# {result}`transfer.images_few.digits.against.random dictionary.interval`); shapes
# {result}`transfer.images_few.shapes.SAE.macro_f1` against
# {result}`transfer.images_few.shapes.random dictionary.macro_f1`
# ({result}`transfer.images_few.shapes.against.random dictionary.difference`,
# {result}`transfer.images_few.shapes.against.random dictionary.interval`).
#
# Where an SAE is no better than a random dictionary, one reason can be measured: at the middle layer its reconstruction
# leaves {result}`transfer.images_unexplained.digits` of the variance of the digits' image tokens unexplained, and
# {result}`transfer.images_unexplained.shapes` of the drawings', where on texts it leaves
# {result}`transfer.images_unexplained.texts`. Image tokens are not what it was trained on.

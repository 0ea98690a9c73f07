# needs: truth
# %% [markdown]
# # SAEs from nothing
#
# **The question.** A language model writes each word down as a few hundred numbers. It seems to know far more things than that.
# Where does it keep them, and can we read them?
#
# **Why ask?** Suppose a program says that a message is toxic. What did it see: an insult, or only a quotation of one? If each thing
# that the model knows had a number of its own, you could look. A {term}`sparse autoencoder` (SAE) tries to make such
# numbers. This chapter builds one from nothing.
#
# **The answer** (skip it if you want to predict). In a toy world where the truth is known: {result}`from_nothing.sentences.found` (A
# *cosine* of 1 means the same direction, 0 a right angle.)
#
# *You need:* vectors, and what logistic regression does. *You do not need:* anything about language models. *About 30 minutes;
# the cells run in about a minute.*
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# Here is the whole way, for one sentence. All numbers in it are of this run:

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import from_nothing, pictures
from mosaic.studies.toy_sae import Recipe, World

plots.style()

# %%
study = from_nothing.run(profile, device=device)
study.record()
study.overview()

# %% [markdown]
# Read it from left to right, then down.
#
# 1. The sentence is cut into {term}`tokens <token>`: words, parts of words, punctuation.
# 2. The model turns each token into a vector, a list of numbers. We read that list at one place inside the model, which is called
#    the {term}`residual stream`. No single number in it means anything to us.
# 3. An SAE rewrites each vector as many more numbers, its {term}`latents <latent>`. Most of them are zero. The three shown have a
#    meaning that is known. A latent that is not zero is *active*; people also say that it *fires*.
# 4. A classifier wants one row per text, not one per token. {term}`Pooling <pooling>` makes that row: here it takes, for each
#    latent, the largest value in the sentence.
# 5. A {term}`probe` reads the row. It is logistic regression: it multiplies each number by a weight and adds up. The bars show what
#    each latent adds to the score for *toxic*, compared with an average text.
#
# In this picture: {result}`from_nothing.sentences.picture` The last bar holds all other latents together. The named ones are easy
# to read. That does not make them the ones that decide. And a name says which property of a whole text a latent tells best, not on
# which word it fires: it can be silent on the very word, where that is only quoted, and strongest at the full stop, where the statement
# is complete.
#
# ## More features than numbers
#
# Forget language for a while. In this chapter a *feature* is a thing that can be there or not, such as "this is a quotation".
# (From chapter 3 on the word means something else: a column that a classifier reads.) Say there are five of them, and a model may keep only two numbers. It is trained to write down which features are there, and to read them back. How does
# it fit five into two?
#
# :::{admonition} Predict before you look
# :class: tip predict
# The model is trained three times. The first time, all features are there all the time. The second time each is there in 20 of
# 100 examples, the third time in 5. In each picture below, a line is the direction in which one feature is written. A line of no
# length is a feature given up. In which picture are most features kept?
# :::

# %%
study.plane_figure()

# %% [markdown]
# :::{div} caption
# Each line is one feature: it ends at the two numbers with which the model writes that feature down. From left to right features
# become rarer. Count the long lines of each panel: a short line, or a mark alone, is a feature given up.
# :::
#
# :::{dropdown} Answer
# {result}`from_nothing.sentences.plane` More features than numbers: this is called {term}`superposition` {cite}`elhage2022`.
# :::
#
# Is that more than a drawing? Here are {result}`from_nothing.toy.n_features` features in {result}`from_nothing.toy.d` numbers. The
# model is trained from five random starts for each of several densities. (The *density* is the share of examples in which a feature
# is there.) A feature counts as kept, or *represented*, if its line is long: its squared length must be above one half.
#
# Beside it stands the same model without its one bend (*linear* in the figure). The bend is a *ReLU*, which sets every number below zero to
# zero. Without it the model can only add, and multiply by fixed weights.

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# Each mark is the mean over random starts; its band is a 95 % {term}`interval`: how far other starts would move it. The dotted line
# is as many features as the vector has numbers; what lies above it is packed more densely than one feature a number.
# :::
#
# {result}`from_nothing.sentences.rise` {result}`from_nothing.sentences.linear`
#
# *What could be wrong?* It is a toy: its features are independent, and we chose how often they are there. That real models do the same
# is a hypothesis that explains much. It is not proved here.
#
# ## Why one direction is not enough
#
# Take another toy world, with {result}`from_nothing.world.n_features` features in {result}`from_nothing.world.d` numbers. Each feature
# has a direction, and each is there in one example of twenty. How strongly it is there is its *amplitude*. An example is a sum: each
# feature that is there adds its direction, times its amplitude. We know the truth, since we made it.
#
# How would you read one feature back? The obvious way: multiply the example with the feature's direction, number by number, and add up
# (the *product* of two vectors). But other features point partly the same way. So you also hear the neighbours.
#
# The figure compares this with a latent of an SAE.
#
# :::{admonition} Predict before you look
# :class: tip predict
# Left: the product. Right: a latent of an SAE. Solid: the feature is there. Dashed: it is not. On which side do the two overlap less?
# :::

# %%
study.along_figure()

# %% [markdown]
# :::{div} caption
# Two histograms in each panel: examples with the feature (solid) and without it (dashed). The more they overlap, the worse that
# number tells whether the feature is there. The solid spike at zero, right, are examples whose feature the latent misses. Each line up
# the scale is ten times as many examples.
# :::
#
# :::{dropdown} Answer
# {result}`from_nothing.sentences.overlap` How *strongly* the feature is there is another question:
# {result}`from_nothing.sentences.amplitudes`
# :::
#
# ## Train one
#
# An SAE has two steps. The *encoder* makes $D$ latents from a vector. The {term}`decoder` makes the vector again from the latents:
#
# $$f = \sigma(W_\mathrm{enc}(x - b_\mathrm{dec}) + b_\mathrm{enc}),$$
#
# $$\hat x = W_\mathrm{dec}^\top f + b_\mathrm{dec}.$$
#
# Read the two lines in words:
#
# - $x$ is the vector, $f$ holds its $D$ latents, and $\hat x$ ("x hat") is the vector made again.
# - $W_\mathrm{enc}$ and $W_\mathrm{dec}$ are two tables of learned numbers, with one row for each latent. A row of $W_\mathrm{enc}$ is
#   the direction that a latent reads, a row of $W_\mathrm{dec}$ the one that it writes. The sign $^\top$ turns the second table on its
#   side, so that the rows of active latents are added up.
# - $b_\mathrm{enc}$ and $b_\mathrm{dec}$ are learned shifts, like the intercept of a regression.
# - $\sigma$ decides which latents stay active.
#
# It is trained to make $\hat x$ close to $x$. That alone would be easy and useless. So there is one condition: *few latents at a time*.
# Here $\sigma$ keeps the $k = 2$ largest values and sets the rest to zero ({term}`TopK`); a value below zero becomes zero,
# too, so that fewer than $k$ can be active. The SAE never sees the true directions.
#
# Three numbers tell how it goes. The *loss* is the squared distance between $x$ and $\hat x$. {term}`L0` is how many latents are
# active per example. The {term}`fraction of variance unexplained` is the loss as a share: 0 is perfect, and 1 is no better than always
# answering with the mean.

# %%
study.training_figure()

# %% [markdown]
# :::{div} caption
# One SAE while it trains: each panel is one of the three numbers, from the first training step to the last. Loss and variance
# unexplained should fall towards zero; L0 cannot rise above *k*, the number of latents that TopK keeps.
# :::
#
# {result}`from_nothing.sentences.training`
#
# ## Did it find the truth?
#
# The SAE can make the vectors again. Did it also find the true features? Each latent writes in one direction, its row of
# $W_\mathrm{dec}$. We ask how near that is to a true direction, by the *cosine* of the angle between them: 1 is the same direction, 0
# is a right angle.
#
# A number alone says little. A {term}`random dictionary`, an SAE that learned nothing, shows what chance gives.
#
# :::{admonition} Predict before you look
# :class: tip predict
# There are as many latents as features. Will the trained latents lie at 1, at one half, or anywhere?
# :::

# %%
study.cosines_figure()

# %% [markdown]
# :::{div} caption
# A bar counts latents by their cosine with the true direction nearest to them; where both kinds have some, bars are stacked. At the
# right end a latent points where a true feature does. The random dictionary shows how near chance comes.
# :::
#
# :::{dropdown} Answer
# {result}`from_nothing.sentences.found`
# :::
#
# ## Too few, too many
#
# We gave the SAE as many latents as there are features. In life nobody knows that number. What if it is wrong? A feature counts as
# found if some latent has a cosine of at least 0.9 with it.

# %%
study.table()

# %% [markdown]
# {result}`from_nothing.sentences.width`
#
# ## Too sparse, not sparse enough
#
# The other choice is $k$, how many latents may be active per example. Move the slider. Each square is the cosine of one latent (down)
# with one true feature (across); darker is nearer to 1. A clean diagonal means one latent for each feature.
#
# :::{admonition} Predict before you look
# :class: tip predict
# With more latents per example the reconstruction can only gain. Will more features be found, too?
# :::

# %%
study.sparsity_slider()

# %% [markdown]
# :::{dropdown} Answer
# {result}`from_nothing.sentences.k`
# :::
#
# ## Shrinkage
#
# There is another way to ask for few latents. Let all positive values through, but make them cost something: add to the loss a weight
# times the sum of all active values (an *L1 penalty*). Small sums are cheap, so the SAE has a reason to make every value smaller. Does
# it?

# %%
study.shrinkage_figure()

# %% [markdown]
# :::{div} caption
# Each mark is one SAE: across, how many latents it uses per example; up, what a latent gives for a feature that is there alone, as a
# share of the true amplitude. On the dotted line it is right, below it too little. SAEs that found no feature are left out.
# :::
#
# {result}`from_nothing.sentences.shrinkage` This is called {term}`shrinkage` {cite}`rajamanoharan2024`.
#
# ## Three latents of a real SAE
#
# Back to language. The SAE shipped with this book reads the residual stream of a small language model. That model learned from texts
# that we made. So we know of each text whether it quotes, insults or negates; such a property is called a {term}`factor`.
#
# For each of the three, we took the latent that tells it best on one half of the texts. Below, each has two short sentences,
# one without its factor and one with it. Darker tokens are stronger, on one scale for both. In brackets stands the factor's full name:
# the explorer lists latents by such names, so search it for that one.

# %%
study.latents_strips()

# %%
study.latents_figure()

# %% [markdown]
# :::{div} caption
# One panel is one latent: how large it becomes in each text of the half that did not choose it, of all five languages; solid, texts
# with its factor, dashed, texts without. Dashed bars away from zero are texts on which it fires although its factor is absent.
# :::
#
# "Tells it" is measured by the {term}`AUROC`. Take one text with the factor and one without: how often is the latent stronger on the first? One half is guessing,
# 1 is never wrong.
#
# {result}`from_nothing.sentences.latents`
#
# {result}`from_nothing.sentences.unlearned`
#
# *What could be wrong?* A latent that tells a factor may also fire on other things. And these
# are the best of many latents; most have no such plain name. [Chapter 23](23_interpretation) asks how often a name is right.
#
# ## Takeaway
#
# :::{admonition} Takeaway
# :class: important takeaway
# Models can keep more features than numbers, because features are rare. An SAE can get them back, because it asks for few at a time. It
# works when the number of latents and the sparsity fit the world, which nobody tells you. So an SAE must be tested. The rest of this
# book does that.
# :::
#
# ## Exercises

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1
# :class: exercise
# Make features more common: let each be there in 20 of 100 examples (`World(p=0.2)`). Train an SAE with
# `from_nothing.learn(world, recipe)` and look at its `row()`. What happens to `found`? Does a larger `k` (`Recipe(k=6)`) help?
# :::

# %% tags=["solution"]
common = World(p=0.2)
found = {k: from_nothing.learn(common, Recipe(k=k)) for k in (2, 6)}
from_nothing.reading_table(found, "k")

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2
# :class: exercise
# Train the same SAE from two seeds (`Recipe(seed=0)`, `Recipe(seed=1)`). Do both find the same number of features? (Chapters 17 to 21 ask this of
# language models.)
# :::

# %% tags=["solution"]
found = {seed: from_nothing.learn(recipe=Recipe(seed=seed)) for seed in (0, 1)}
from_nothing.reading_table(found, "seed")

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 3
# :class: exercise
# Draw the picture of the whole way for a sentence of your own with `pictures.pipeline(profile, sentence=...)`. Try one of three
# statements: the probe learned from texts of two. Is its answer right?
# :::

# %% tags=["solution"]
sentence = 'Karia says: "you are stupid". the film is not boring. you are not clever.'
pictures.pipeline(profile, sentence=sentence).html()

# %% [markdown]
# :::{dropdown} Answer
# "Not clever" is said to the reader in the writer's own words, so this message is *toxic*; the quotation does not count. Compare that with
# the picture's last step, and see which bars pull the other way: what the probe's weights are worth on three statements, nobody has tested.
# :::

# %% [markdown]
# ## Test yourself
#
# **1.** Why does superposition need features that are rare?
#
# :::{dropdown} Answer
# Features that share numbers disturb each other only when they are there together. Rare ones seldom are.
# :::
#
# **2.** An SAE leaves 3 % of the variance. Another leaves 15 %. Is the first the better dictionary?
#
# :::{dropdown} Answer
# Not for that reason. (The *dictionary* is the SAE's list of directions.) With many latents per example almost any directions
# reconstruct well: move the slider to its right end.
# :::
#
# **3.** A latent fires on every quotation in your texts. May you call it the quotation latent?
#
# :::{dropdown} Answer
# Not yet. You must also look at texts without quotation, and at texts that did not choose it.
# :::

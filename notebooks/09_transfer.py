# needs: truth
# %% [markdown]
# # Transfer: to other languages, another model, and images
#
# Three questions of the paper {cite}`gallifant2025`, asked of the miniature: does a probe trained on English
# features read other languages; do a small model's features tell whether a larger, tuned model will answer
# right; do SAEs trained on text say anything about images?
#
# - **Equal.** SAE features and hidden states get every pooling of the profile, the last token among them, every layer and
#   one grid of $C$; SAEs of one width, nothing binarised, so that both have equally many settings. All is chosen on
#   validation folds of the training set.
# - **Each kind apart.** Linear probes and trees on SAE features, linear probes and trees on hidden states, words and the
#   majority class are chosen and shown each by itself.
# - **Controls.** Random dictionaries of the width and sparsity of the SAE, at the layer that was chosen for it, with
#   every pooling; and a language model with random weights.
# - **95 % intervals** over messages, people or images, and over random dictionaries.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import transfer

plots.style()

# %%
study = transfer.run(profile, device=device)
study.record();

# %% [markdown]
# ## Across languages
#
# Trained and tuned on English alone; tested on the same messages in five languages. The other languages share no
# words with English but people's names and some punctuation, so a bag of words can do little more than toss a coin,
# whose macro-F1 is one over the number of classes. Toxicity and sentiment are *told in training*: the corpus writes
# these labels after messages in every language, so the model learned to foresee them at the end of each. Agreement (do the
# speaker and the one quoted judge alike?) is *never told*; it stands beside. Familiar words decide:
#
# {result}`transfer.sentences.viable`

# %%
study.figure()

# %% [markdown]
# Means over the four other languages, in familiar words and, the same messages once more, in new ones that no training text
# of the set has (the language model knows them: its own corpus has all synonyms). Native probes are
# trained on each language itself, on as many texts (the same messages); they read the layer that was chosen in English,
# with every pooling.

# %%
study.table()

# %% [markdown]
# Linear SAE features against the others trained on English, mean over toxicity and sentiment:
#
# - {result}`transfer.sentences.hidden`
# - {result}`transfer.sentences.tree`
# - {result}`transfer.sentences.random_dictionary`
# - {result}`transfer.sentences.random_language_model`
# - {result}`transfer.sentences.tfidf`
#
# {result}`transfer.sentences.trees`
#
# The label never told: {result}`transfer.sentences.never_told` {result}`transfer.sentences.tree_never_told`
# {result}`transfer.sentences.trees_never_told`
#
# ## Is training on the language itself better?

# %%
study.native_figure()

# %% [markdown]
# For SAE features the sentence at the top answers. {result}`transfer.sentences.hidden_native`
#
# ## Why do some probes fall abroad?
#
# Above, validation chose one pooling in English. Here every pooling is followed abroad, at the layer that English
# validation chose for it: a choice that is one of many at home may be the only good one away.

# %%
study.poolings_figure()

# %% [markdown]
# Then one repair at a time. *mean*: each language's texts are moved so that their mean is English's, which needs texts but
# no labels, and comes to another intercept for each language. *intercept*: fitted again on labelled texts of
# the language, the weights as they are. *directions*: what lies between the languages' means is taken out of all texts, and
# the probe is trained again on English. *mean and scale*: each column is moved and spread as in English. AUROC asks
# for the ranking alone, which no intercept can spoil; it and the share of texts that get the most frequent answer are of
# the probe as it is. First toxicity:

# %%
study.diagnosis_table("toxicity")

# %% [markdown]
# Sentiment:

# %%
study.diagnosis_table("sentiment")

# %% [markdown]
# - {result}`transfer.sentences.why_toxicity_hidden`
# - {result}`transfer.sentences.why_toxicity_sae`
# - {result}`transfer.sentences.why_sentiment_hidden`
# - {result}`transfer.sentences.why_sentiment_sae`
#
# How far the choice made in English carries: where many settings are equally good at home, which one was chosen is chance,
# and abroad they are not equally good.
#
# - {result}`transfer.sentences.spread_toxicity_hidden`
# - {result}`transfer.sentences.spread_toxicity_sae`
# - {result}`transfer.sentences.spread_sentiment_hidden`
# - {result}`transfer.sentences.spread_sentiment_sae`
#
# ## From the small model to the large one's behaviour
#
# Every question the corpus can ask was put to mini-large-it, and whether it answers right is the label. It knows the
# people that its corpus speaks of often. Can mini-small's features tell? No person of the test questions occurs in a
# training question, so that names cannot be learned by heart; intervals are over people.

# %%
study.behaviour_figure()

# %% [markdown]
# {result}`transfer.sentences.nearly_as_well` The margin is this project's; the paper names none.
# {result}`transfer.sentences.signal`
#
# ## Images through text SAEs
#
# mini-vision is a SigLIP tower and a projector in front of mini-small, trained together on captions as PaliGemma 2 is; the
# SAEs of mini-small's texts are applied, unchanged, to the residual stream at the image tokens. Labels: handwritten
# digits; shape and place of drawings. SAE features minus hidden states on images are the paper's largest differences:
# {published}`mosaic.images.difference.low` to {published}`mosaic.images.difference.high`.

# %%
study.pictures()

# %% [markdown]
# All latents. The column of random dictionaries is the mean of
# {result}`transfer.images.digits.random dictionary.n_draws` of them. The last column has an untrained language model behind
# the trained tower; a trained SAE being of no use to it, one random dictionary reads it.

# %%
study.images_table()

# %% [markdown]
# {result}`transfer.sentences.images`
#
# And with few latents (or dimensions)? The same probes on those whose class means differ most. The curve of the random
# dictionaries is that of the first; the sentence below is of all of them, over all three sets.

# %%
study.few_latents_figure()

# %% [markdown]
# {result}`transfer.sentences.images_few`
#
# How much of the image tokens the SAE sees at all can be measured, with the middle layer's SAE.
# {result}`transfer.sentences.off_text` These are messages without a log; on whole documents, which the same SAE was trained
# on, [chapter 11](11_miniature) has it leave another share.

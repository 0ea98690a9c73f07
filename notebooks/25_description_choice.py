# %% [markdown]
# # Can descriptions choose latents?
#
# To use a few latents, one chooses them by labelled texts. Can it be done without? A large language model that reads the names of a
# table's columns is said to choose columns about as well as data does {cite}`jeong2024`. Latents have no names, but they can be
# described. Say a latent is described by "awful, boring, worst". One would take it for the class "negative" before a single text
# is labelled. Here a small sentence encoder does that. Does it choose as well as labels do?
#
# **The answer** (*mean difference* and *L1* are two ways to choose by labels): {result}`description_choice.sentences.answer`
#
# {result}`description_choice.sentences.text`
#
# :::{admonition} Before you read
# :class: before
# You know descriptions ([chapter 23](23_interpretation)) and learning curves ([chapter 10](10_few_labels)). About 10 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **The candidates** are the {result}`description_choice.n_candidates` latents of the middle layer's SAE that have an
# {term}`explanation`: the tokens on which a latent fires and, for a causal model, those that it writes. No test text is read for it.
#
# **The choice.** The sentence encoder turns each explanation, and how each class is called ("sentiment: negative"), into a vector. A
# latent is taken for a class if the two vectors lie close. Classes take turns until {result}`description_choice.selected` latents
# are taken.
#
# **The rivals.** Every other way has the same candidates, the same number of latents and the same probe:
#
# - *another's description*: the same choice, after descriptions were dealt to other latents. It is the control for all but the words;
# - *at random*: latents are drawn;
# - *mean difference* and *L1* choose by labels: by the largest difference of class means, and by the largest weights under a penalty that
#   sets most weights to zero;
# - *description, then data*: descriptions leave a shortlist, and mean difference chooses from it.
#
# **The number** is {term}`macro-F1` on the test texts, mean over sets, at several numbers of labelled texts. Labelled texts are drawn
# {result}`description_choice.n_draws` times. *With few labels* is the mean over the numbers up to a share of
# {result}`description_choice.few` of the training texts.
#
# **Intervals** come in two kinds. Bands in the figure are 95 % over test texts and draws of the labelled ones, on these very sets.
# Intervals in the text also ask whether other sets would say the same, and are much wider. So bands may lie apart where the text says
# "cannot be told apart".

# %% tags=["parameters"]
profile = "mini"
n_draws = 10
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import description_choice

plots.style()

# %%
study = description_choice.run(profile, n_draws=n_draws, device=device)
study.record();

# %% [markdown]
# ## From how many labels on is data better?
#
# Descriptions choose once, whatever the labels; the probe on what they chose still learns from all labelled texts there are. The other
# ways choose from the same texts.
#
# ::::{admonition} Predict before you look
# :class: predict
# Twenty latents are chosen by what is said of them, before any text is labelled, or by the labels themselves. Below how many labels will the
# words be better than the data?
#
# :::{dropdown} What came out
# {result}`description_choice.sentences.answer` {result}`description_choice.sentences.overtaken`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# A line is one way to choose latents: what a probe on them scores, from few labelled texts to all. Dashed ways choose by labels alone.
# Look how far *their descriptions* lies above *other latents' descriptions*, and whether it meets the dashed lines.
# :::
#
# {result}`description_choice.sentences.levels` {result}`description_choice.sentences.answer`
#
# {result}`description_choice.sentences.overtaken` {result}`description_choice.sentences.all`
#
# ## Do the words matter?
#
# {result}`description_choice.sentences.text`
#
# A latent's description may be good and its class's name bad, or the other way round, so sets may differ.
# {result}`description_choice.sentences.by_set` {result}`description_choice.sentences.unnamed`

# %%
study.sets_figure()

# %% [markdown]
# :::{div} caption
# A mark is one set and one rival: macro-F1 with few labels, chosen by description, minus the rival's. Right of zero descriptions are
# better. Bars are 95 % over test texts and draws. Look on which sets a latent's own words beat another's.
# :::
#
# The latents that descriptions gave each class first, each with its words:

# %%
study.taken_table()

# %% [markdown]
# ## Two refinements
#
# The best matches to a class may all say the same. So latents are also chosen *one after another*, each for what it adds to those already
# taken. {result}`description_choice.sentences.sequence`
#
# And words may narrow the search, with labels to finish it. {result}`description_choice.sentences.then_data`
#
# ## All numbers
#
# Two more ways by labels stand in the table. *Mutual information* is how much knowing the latent tells of the label. *MRMR* takes latents
# one after another: what they say of the label less what they repeat of those already taken.
#
# **What could be wrong.** The encoder is small and reads lists of tokens, which no one wrote as sentences; a large language model might
# read them better (`mosaic names choose` asks one). Class names are what the sets happen to call their classes. And explanations are
# those of chapter 23, with all their faults.

# %%
study.table()

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: do the words carry anything?
# :class: exercise
# `study.summary()["mean"]` has the mean macro-F1 by way and share of labels. For each share, subtract the score with *another's description*
# from that with the right one.
# :::

# %% tags=["solution"]
import pandas as pd

means = study.summary()["mean"]
table = pd.DataFrame({way: {rate: found["mean"] for rate, found in by_rate.items()} for way, by_rate in means.items()}).T
table = table[sorted(table.columns, key=lambda rate: float(rate.rstrip("%")))]
table.sub(table.loc["another's description"]).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: sets where the name says it all
# :class: exercise
# `study.summary()["sets"]` has the scores of each set. With the fewest labels, on which sets do the right descriptions beat drawing latents at
# random, and on which not? Look at the names of their classes.
# :::

# %% tags=["solution"]
sets, least = study.summary()["sets"], table.columns[0]
ways = [way for way in table.index if "description" in way or way == "at random"]
pd.DataFrame({title: {way: found[way][least] for way in ways if way in found} for title, found in sets.items()}).T.round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} What does choosing by another latent's description control for?
# For everything but the words: the same number of latents, the same candidates, the same probe.
# :::
#
# :::{dropdown} Why are ties broken at random, over several seeds?
# Many descriptions are equally similar to a task. Taking the first would let the order of latents decide.
# :::
#
# :::{dropdown} When could choosing by words win in earnest?
# When there are no labels at all, or when class names say what the texts say and the few labels there are mislead.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Words can stand in for labels only as far as they beat another latent's words. {result}`description_choice.sentences.text`
# :::

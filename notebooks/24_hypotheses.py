# %% [markdown]
# # From labelled texts to hypotheses
#
# A {term}`probe` says *that* a label can be told from a text. A person often wants to know *what* goes with it: a short list of
# {term}`hypotheses <hypothesis>` such as "texts that mention rain are more often sad". Each can be right or wrong. HypotheSAEs
# {cite}`movva2025` takes them from an SAE. Latents that set a class apart are chosen, a language model puts each into words, and the
# words alone are tested on new texts. Here the words come from counting. Does the SAE find more than single words would?
#
# **The answer.** {result}`hypotheses.sentences.arms`
#
# :::{admonition} Before you read
# :class: before
# You know latents with descriptions ([chapter 23](23_interpretation)) and what a p-value is. About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_texts = 2000
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import hypotheses

plots.style()

# %%
study = hypotheses.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## How a hypothesis is made, and how it is tested
#
# At most `n_texts` training texts of each set make the hypotheses; texts that had no part in this test them, at most half as many.
#
# 1. **Choose.** For each class, latents of the middle layer's SAE are ranked on the training texts by *separation*: the mean of the
#    class minus the mean of the rest, divided by the standard deviation within both. A list has {result}`hypotheses.top`
#    hypotheses or a few less, as many for every class.
# 2. **Describe.** A latent is described by the words (whole ones, not the tokenizer's pieces) that tell best where it fires,
#    {result}`hypotheses.words` at most. Where their being there has a correlation below {result}`hypotheses.faithful` with how
#    large the latent is, they do not say what it is, and the latent is passed over. Two latents whose words share half of the
#    texts they match are one.
# 3. **Test.** A held-out text *matches* where one of the words stands in it. The latent plays no part, and no language model reads
#    the text. The *effect* is the share of the class among matching texts minus its share among the others.
#
# The interval of an effect is Newcombe's, made for a difference of two shares. The p-value is Fisher's exact test: how often would
# labels dealt at random give an effect as large? Many hypotheses are tested, so some would pass by chance. The p-values of a list are
# corrected for that: of the confirmed, at most one in twenty is expected to be false (Benjamini and Hochberg, 5 %).
#
# A hypothesis is *confirmed*, *contrary* (the test finds the opposite of what the training texts said) or *open*. None is dropped.
#
# ## The list
#
# {result}`hypotheses.sentences.lists` {result}`hypotheses.sentences.left_out`
#
# Read the list as a person would, where classes have names: does it make sense?

# %%
study.table()

# %% [markdown]
# The effects whose intervals begin farthest above zero, a few of every set:

# %%
study.forest()

# %% [markdown]
# :::{div} caption
# One line is a hypothesis (words, and the class said to go with them); the mark is its effect, coloured by set. Right of zero the class
# is more frequent where a word stands. A 95 % bar that reaches zero leaves it open; others have yet to pass the correction.
# :::
#
# ## Is it the SAE that finds them?
#
# Four others get the same texts and the same test. Each may make as many hypotheses, and makes fewer where too few latents have words
# that say what they are.
#
# - *Random dictionaries* have the SAE's width, norms and sparsity and learned nothing.
# - *Latents at random* are the SAE's own, drawn from those that speak for the class and have faithful words.
# - *Single words* are chosen by the same separation straight from the texts: no model at all.
# - *Shuffled labels*: the SAE again, with labels dealt anew. Whatever is confirmed here is chance.
#
# All but the single words are drawn several times.
#
# ::::{admonition} Predict before you look
# :class: predict
# Hypotheses come from latents on two thirds of the texts and are tested by their words on the rest. How many will be confirmed? How many, if
# latents come from a random dictionary, or if single words are used, or if labels are dealt anew?
#
# :::{dropdown} What came out
# {result}`hypotheses.sentences.arms`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# A mark is the share of hypotheses that are confirmed, with 95 % over hypotheses; each group of marks is one set. Compare the trained
# SAE, on top of a group, with the ways below it. Shuffled labels, the lowest, show what chance confirms.
# :::

# %%
study.arms_table()

# %% [markdown]
# Being confirmed is not all. A statement that covers many texts says more than one that covers few, which is why mean effect and mean
# prevalence (the share of texts that match) stand beside it.
#
# **What could be wrong.** "Not told apart" is not "equal". The trained SAE has {result}`hypotheses.confirmed.trained SAE.n` hypotheses and
# the single words have {result}`hypotheses.confirmed.single words.n`; what is drawn several times has more. Intervals take them as
# independent, which latents of one text are not quite. And how latents are chosen may matter: {result}`hypotheses.sentences.rules`
#
# **What the paper said.** The paper's own count is {published}`hypotheses.significant` of {published}`hypotheses.tested`, on other texts and
# after a stricter correction (Bonferroni's). That one leaves {result}`hypotheses.bonferroni.trained SAE.count` of
# {result}`hypotheses.bonferroni.trained SAE.n` here.
#
# ## Against what was planted
#
# In the miniature it is known what its messages say, and so what a hypothesis should have found. A {term}`planted cue` is a thing said (a
# word of bad meaning, a quotation, an act) that goes with a class. It is computed on fresh messages, with a correlation above
# {result}`hypotheses.least_phi`. A hypothesis *means* the thing with which its matching texts have most in common. It is *right* if
# that is a planted cue of its class. {result}`hypotheses.sentences.truth`
#
# Labels of the miniature depend on what binds to what ("you are not stupid"), so that single things tell little of them by design;
# intents are where words tell most. A method that lists single things can list no more than there are. It says nothing of how they
# combine: that is what the probes of the other chapters read.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: why correct for many tests?
# :class: exercise
# `study.summary()["confirmed"]` and `["bonferroni"]` count confirmed hypotheses with this book's correction and with Bonferroni's. Make a
# table of the shares. What does the stricter one cost each way of making hypotheses?
# :::

# %% tags=["solution"]
import pandas as pd

summary = study.summary()
shares = {kind: {way: found["share"] for way, found in summary[kind].items()} for kind in ("confirmed", "bonferroni")}
pd.DataFrame(shares).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: set by set
# :class: exercise
# From `study.summary()["sets"]`, compare the share confirmed for the trained SAE with that for single words on each set. Would you use an SAE
# for these lists?
# :::

# %% tags=["solution"]
sets = summary["sets"]
ways = ("trained SAE", "single words", "random dictionaries")
pd.DataFrame({title: {way: found["confirmed"][way]["share"] for way in ways if way in found["confirmed"]} for title, found in sets.items()}).T.round(2)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is a hypothesis tested by its words and not by its latent?
# The sentence is what a reader takes away. If the latent tells the classes apart and its words do not, the sentence is not what was found.
# :::
#
# :::{dropdown} With labels dealt anew, how many hypotheses should be confirmed?
# Next to none, if the test is right: that is what the correction promises. More would mean a leak or a broken test.
# :::
#
# :::{dropdown} Suppose single words find as many. What does the SAE still have to show?
# Statements that no single word makes, or fewer statements that cover more. Where it shows neither, the simpler tool does.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A finding is a sentence that holds on texts that did not suggest it, tested by its own words. {result}`hypotheses.sentences.arms`
# :::

# %% [markdown]
# # Can descriptions choose latents?
#
# To use a few latents one needs labels to choose them by, or does one? If every latent has a description, a reader could pick
# the right ones before a single text is labelled. With a large language model as that reader, this is said to come close to choosing
# by data {cite}`jeong2024`. Here the reader is a small sentence encoder: a latent is taken for a class if its
# {term}`explanation` (what it fires on and, for a causal model, what it writes) lies close to the class's name. The comparison has what such a claim needs: the same
# {result}`description_choice.selected` latents and the same probe for every way, and descriptions dealt to other latents.
#
# What came out: {result}`description_choice.sentences.answer` {result}`description_choice.sentences.text`
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_draws = 5
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import description_choice

plots.style()

# %%
study = description_choice.run(profile, n_draws=n_draws, device=device)
study.record();

# %% [markdown]
# ## From how many labels on is data better?
#
# Descriptions choose once, whatever the labels; the probe on what they chose still learns from all labelled texts there are. The other ways
# choose from the same texts. Bands are 95 % over test texts and draws of the labelled ones.

# %%
study.figure()

# %% [markdown]
# {result}`description_choice.sentences.overtaken` {result}`description_choice.sentences.all`
#
# ## Do the words matter?
#
# {result}`description_choice.sentences.text` A latent's description may be good and its class's name bad, or the other way round: set by set. {result}`description_choice.sentences.unnamed`

# %%
study.sets_figure()

# %% [markdown]
# What was taken first for each class:

# %%
study.taken_table()

# %% [markdown]
# ## Two refinements
#
# {result}`description_choice.sentences.sequence` {result}`description_choice.sentences.then_data`
#
# ## All numbers

# %%
study.table()

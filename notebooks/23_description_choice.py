# %% [markdown]
# # Can descriptions choose latents?
#
# To use a few latents, one chooses them by labelled texts. Is there a way without? Columns of tables have names, and a large language
# model that reads these is said to choose about as well as data does {cite}`jeong2024`. Latents have no names, but they can be described:
# here by their {term}`explanation` (what they fire on and, for a causal model, what they write). The reader is a small sentence
# encoder, which takes a latent for a class if the description lies close to how the class is called ("sentiment: negative"); classes
# take turns. The comparison has what such a claim needs: the same {result}`description_choice.selected` latents and the same probe for
# every way, and descriptions dealt to other latents.
#
# What came out: {result}`description_choice.sentences.levels` {result}`description_choice.sentences.answer`
# {result}`description_choice.sentences.text`
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

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
# Descriptions choose once, whatever the labels; the probe on what they chose still learns from all labelled texts there are. The other ways
# choose from the same texts. Bands are 95 % over test texts and draws of the labelled ones, on these very sets. The intervals in the
# text also ask whether other sets would say the same, and are much wider: bands may lie apart where the text says "cannot be told apart".

# %%
study.figure()

# %% [markdown]
# {result}`description_choice.sentences.overtaken` {result}`description_choice.sentences.all`
#
# ## Do the words matter?
#
# A latent's description may be good and its class's name bad, or the other way round. {result}`description_choice.sentences.by_set` {result}`description_choice.sentences.unnamed`

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
#
# MRMR takes latents one after another: what they say of the label less what they repeat of those already taken.

# %%
study.table()

# %% [markdown]
# # How far do few labels go?
#
# How does macro-F1 rise with the number of labelled texts, and which way to use features needs the fewest? The paper asks it
# of toxicity in several languages, with three ways to choose features (its first figure {cite}`gallifant2025`), and says that
# binarising all latents can stand in for choosing some. Here seven ways learn from the same few labelled texts in the same
# draws, on every data set, and are scored on the same test.
#
# What came out: {result}`few_labels.sentences.answer` {result}`few_labels.sentences.mean_difference`
# {result}`few_labels.sentences.enough`
#
# The values of the paper's figure were not to be had, so that none are drawn. Another paper set SAE probes beside baselines
# where data are scarce, and found no consistent gain {cite}`kantamneni2025`. Both statements are tested on the
# [claims page](../claims.md).
#
# How it was measured here:
#
# - **Seven ways, one layer.** SAE latents of layer {result}`few_labels.layer` and width {result}`few_labels.width`, pooled
#   over the tokens by their {result}`few_labels.pooling`: *all as they are*; *all binarised* (was the latent active
#   anywhere in the text?); the {result}`few_labels.selected` whose *class means differ most*; the
#   {result}`few_labels.selected` that come first when an *L1 penalty* is lowered; and, as the paper has it, *top-n counts*:
#   in how many tokens a latent is among that token's {result}`few_labels.selected` largest. Beside them *hidden states* of
#   the same layer, likewise pooled, and *TF-IDF* of words and pairs of words.
# - **Nothing but the labelled texts.** Which latents are chosen, which words are known, and how columns are scaled is learned
#   on the draw alone.
# - **Draws.** Of every share of the training texts {result}`few_labels.n_draws` draws, stratified; all texts are one draw.
#   In short, {result}`few_labels.sentences.labels`
# - **One prior.** Ten texts are too few to choose a regularisation strength on, and choosing it on others would be no case
#   of few labels. So $C$ is {result}`few_labels.C` for every way, on features scaled by one number until a text's row has a
#   mean squared length of 1: the same prior for a hundred columns and for a thousand. What another $C$ would change stands
#   below.
# - **95 % intervals** of differences are over test texts, draws and data sets; those of levels over texts and draws alone. All
#   ways have the same texts and draws in every resample, so that a difference is one of pairs.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
n_draws = 10
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import few_labels

plots.style()

# %%
study = few_labels.run(profile, n_draws=n_draws, device=device)
study.record();

# %% [markdown]
# ## The curves
#
# Above: mean macro-F1 over the sets. Below: the same minus that of hidden states, with bands over the sets as well; a band on
# one side of the line is a difference that can be told. TF-IDF, far below, is left out there; the table has it.

# %%
study.figure()

# %% [markdown]
# {result}`few_labels.sentences.best`
#
# {result}`few_labels.sentences.with_all` {result}`few_labels.sentences.bags`
#
# ## Is it worth choosing latents?
#
# {result}`few_labels.sentences.mean_difference` {result}`few_labels.sentences.L1`
#
# With few labels, {result}`few_labels.sentences.binarising`; {result}`few_labels.sentences.as_they_are`.
# {result}`few_labels.sentences.top_n`

# %%
study.table()

# %% [markdown]
# {result}`few_labels.sentences.new_words`
#
# ## In five languages
#
# The paper's figure is of toxicity. On the miniature it can be asked in each of its languages, trained and tested in that
# language; bands are over texts and draws.

# %%
study.languages_figure()

# %% [markdown]
# {result}`few_labels.sentences.languages`
#
# ## What hangs on the prior
#
# Three of the draws were fitted with a tenth of $C$ and with ten times as much. {result}`few_labels.sentences.strengths`
#
# ## What it does not say
#
# Each way is read at one layer, with one pooling and one probe: [chapter 6](06_sae_against_baselines) lets validation choose
# all of these, which takes labels. A language model that is told the classes in words may need no labels at all; that is no matter of features.

# needs: truth
# %% [markdown]
# # The truth: which latents find which factor
#
# No real model can be asked what is in it. The miniature can: its corpus is drawn from factors (who is spoken
# of, with what words, negated or not, in whose voice), and every text carries them. So here, and only here, a
# latent can be held against what it is *supposed* to find. Which factors have a latent, which have none, and would a
# dictionary that learned nothing do as well? What came out: {result}`truth.sentences.found`
# {result}`truth.sentences.random`
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# For latent $j$ and factor $c$, with $z_j$ the latent's largest activation in a text,
#
# $$
# \mathrm{AUROC}_{jc} = P\big(z_j(\text{with } c) > z_j(\text{without } c)\big) + \tfrac12 P(\text{equal}).
# $$
#
# A factor is named with the kind of text that it is drawn for: *message: negation*, *request: intent music* (a request to
# play music), *fact: asked colour* (a question after somebody's colour).
#
# Whatever is chosen is chosen on one half of the texts: the latent, and where several SAEs are searched, the layer and the
# width as well. It is then scored once, on the other half. A wide dictionary, or many of them, would otherwise win by
# being searched longer. Intervals come from resampling the texts that score.

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
# The AUROC of the best latent of each layer's SAE of width {result}`truth.width`, over texts in all five languages;
# factors are sorted by the AUROC of the latent chosen from all SAEs.

# %%
study.figure()

# %% [markdown]
# ## Which factors no latent finds
#
# A factor counts as found when the latent chosen for it, from {result}`truth.n_saes` SAEs of several layers and widths,
# reaches an AUROC of 0.9 on the half of the texts it was not chosen on. Those that are not found, with the
# {term}`average precision` of the same latent and, what knowing nothing would give there, the share of texts that have the
# factor:

# %%
study.table()

# %% [markdown]
# ## Toxicity, a composition
#
# Compositions are the hard ones: that a text insults its reader hangs on who is meant, on the word's polarity, on a
# negation and on whose words they are. The best latent of each layer, beside the best of a random dictionary of the same
# width and sparsity on the same layer (the mean over {result}`truth.n_suites` such dictionaries), and
# of one on a model whose weights are random. Bands are 95 % over texts, and over the random dictionaries.

# %%
study.toxicity_figure()

# %% [markdown]
# {result}`truth.sentences.toxicity` {result}`truth.sentences.toxicity_random`

# %% [markdown]
# ## In which languages?
#
# The latent chosen within one language, for the factors every language shares: the same width, the layer in the
# middle.

# %%
study.languages_figure()

# %% [markdown]
# Is it the *same* latent? Of the factors above, the middle layer's best latent is one and the same in all five
# languages for {result}`truth.same_latent`; in English and at least one other language for
# {result}`truth.same_as_english`. Of two latents that are nearly as good, chance decides which is best in a language, so
# that these are lower bounds.

# %% [markdown]
# ## Width
#
# The middle layer's dictionaries: how many factors each finds by itself.

# %%
study.widths_table()

# %% [markdown]
# {result}`truth.sentences.width`

# %% [markdown]
# ## Nothing learned, nothing found?
#
# The same search with the same budget in as many *random dictionaries*, one for each SAE, of its layer, width and
# sparsity; on the trained model ({result}`truth.n_suites` times over, with new random directions each
# time; the figures are means, and the intervals show how they differ), and once on a model whose weights are random: what
# words alone, projected at random, give away. Here, too, one half of the texts chooses layer, width and latent.

# %%
study.controls_table()

# %% [markdown]
# {result}`truth.sentences.random` {result}`truth.sentences.untrained`

# %% [markdown]
# ## What it says
#
# {result}`truth.sentences.found` {result}`truth.sentences.missed` {result}`truth.sentences.toxicity`
# {result}`truth.sentences.toxicity_random` {result}`truth.sentences.random` {result}`truth.sentences.untrained`

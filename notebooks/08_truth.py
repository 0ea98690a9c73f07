# needs: truth
# %% [markdown]
# # The truth: which latents find which factor
#
# No real model can be asked what is in it. The miniature can: its corpus is drawn from factors (who is spoken
# of, with what words, negated or not, in whose voice), and every text carries them. So here, and only here, a
# latent can be held against what it is *supposed* to find.
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# For latent $j$ and factor $c$, with $z_j$ the latent's largest activation in a text,
#
# $$
# \mathrm{AUROC}_{jc} = P\big(z_j(\text{with } c) > z_j(\text{without } c)\big) + \tfrac12 P(\text{equal}).
# $$
#
# The best latent for a factor is chosen on one half of the texts and scored on the other half: a wide
# dictionary would otherwise win by being searched longer.

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import truth

plots.style()

# %%
study = truth.run(profile, device=device)
study.record();

# %% [markdown]
# ## A map of factors and layers
#
# The AUROC of the best latent of each layer's SAE of width {result}`truth.width`, over texts in all five languages;
# factors are sorted by the best they reach anywhere.

# %%
study.figure()

# %% [markdown]
# ## Which factors no latent finds
#
# A factor counts as found when a latent of some layer and width reaches an AUROC of 0.9 on the half it was not
# chosen on. Those that are not found, with the best there is:

# %%
study.table()

# %% [markdown]
# Compositions are the hard ones: that a text insults its reader hangs on who is meant, on the word's polarity, on a
# negation and on whose words they are. The first layer's best latent for it reaches {result}`truth.toxicity.first`,
# the middle layer's {result}`truth.toxicity.middle`.

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
# {result}`truth.same_as_english`.

# %% [markdown]
# ## Width
#
# The middle layer's dictionaries: how many factors each finds (AUROC of at least 0.9).

# %%
study.widths_table()

# %% [markdown]
# ## Nothing learned, nothing found?
#
# The same search in a *random dictionary* of the same width and sparsity on the trained model, and on a model whose
# weights are random: what words alone, projected at random, give away.

# %%
study.controls_table()

# %% [markdown]
# ## What it says
#
# Of {result}`truth.n_factors` factors, {result}`truth.n_found` have a latent that finds them at an AUROC of at least
# 0.9. Not found: {result}`truth.missed_names`. For toxicity the best single latent goes from
# {result}`truth.toxicity.first` at the first of the layers to {result}`truth.toxicity.middle` at the middle one; a
# random dictionary on the same middle layer reaches {result}`truth.toxicity.random_dictionary`, an untrained model
# {result}`truth.toxicity.untrained`.

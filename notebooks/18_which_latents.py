# needs: seeds
# %% [markdown]
# # Which latents are shared?
#
# Three questions to each latent of {result}`which_latents.n_seeds` SAEs: how often does it fire, can its firing be predicted
# from the tokens around it, and (in a world where that is known) does it track something true?
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# Read here: {result}`which_latents.sentences.read`. A latent that several SAEs have is no independent witness in each of
# them, and the latents of one SAE come from one seed: every interval covers one over latents, drawn with all their copies,
# and one over SAEs.

# %% tags=["parameters"]
profile = "mini"
n_texts = 6000
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import which_latents

plots.style()

# %%
study = which_latents.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## How often does it fire?
#
# All latents of all seeds: how often each fires on held-out tokens against how well it is matched in the other SAEs. A
# single line would hide the shape, so the whole plane is drawn. The two papers disagree here: one finds that frequent
# latents are shared and, beside them, a cloud of frequent orphans {cite}`paulo2025`; the other that rarer always means
# less consistent, by the mean matched cosine of five groups {cite}`song2025`, which is drawn below.

# %%
study.figure()

# %%
study.consistency()

# %%
study.table()

# %% [markdown]
# {result}`which_latents.sentences.frequency`
#
# ## Can it be predicted?
#
# An LLM would be asked to explain each latent and to say from the explanation where it fires {cite}`paulo2024`. Here the
# explanation is counted: the log odds of the token a latent fires on and of the two before it, learned on one half of the
# texts. Its score is the balanced accuracy on the other half (0.5 is chance). Latents that fire fewer than
# {result}`which_latents.least` times in either half are not scored; the same rule holds for all.

# %%
study.prediction()

# %% [markdown]
# The published values are those of an LLM's explanations: a step between latents of one SAE and all others, then flat.
#
# ## Does it track something true?
#
# Only in the miniature is it known what its texts are about. For each latent, the area under the ROC curve of the factor
# it tracks best, averaged by membership; and, of the factors that some latent tracks, how many have a *shared* latent among
# those.

# %%
study.factors()

# %% [markdown]
# ## What it says
#
# {result}`which_latents.sentences.frequency`
#
# {result}`which_latents.sentences.detection`
#
# {result}`which_latents.sentences.factors`

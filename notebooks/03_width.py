# needs: widths
# %% [markdown]
# # Which width?
#
# A wider SAE has more latents, each of which means less; does a probe on them classify better? The paper compares SAEs of
# 16k and 65k latents {cite}`gallifant2025`: over {published}`mosaic.width.n` pairs of one set, layer and pooling the median
# difference is {published}`mosaic.width.difference`. Here SAEs of one layer, the middle one, and several widths are
# compared in the same way. {result}`width.sentences.answer`
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import width

plots.style()

# %%
study = width.run(profile, device=device)
study.record();
# %% [markdown]
# ## Every pair
#
# A dot is one set and pooling, linear probes on both sides: the score on the wider SAE minus that on the next narrower
# one. The bar is the median. Hollow dots are the published pairs.

# %%
study.pairs_figure()

# %% [markdown]
# A median says what happens to the pair in the middle and nothing of the others: the mean difference is
# {result}`width.mean_difference`. Pairs of one set say nearly the same, so that the interval comes from drawing the sets
# anew, each with all its pairs.
#
# ## Set by set
#
# Each width with the pooling that validation chose for it; bands are 95 % bootstrap intervals over test texts. Hollow grey
# marks are published, where the paper has the same task: Gemma 2 2B, middle layer, SAEs of 16k and 65k latents, a mark a
# pooling, nothing binarised. Its model and, for the miniature's sets, its texts are others.

# %%
study.figure()

# %% [markdown]
# ## Which one validation chooses
#
# One width has to serve all data sets. Validation chooses it; the lead on test is the answer to whether it is ahead.

# %%
study.table()

# %% [markdown]
# {result}`width.sentences.choice` {result}`width.sentences.new_words`
#
# Width is not the only thing that differs: a wide SAE trained on as many tokens as a narrow one has more latents that
# hardly ever fire. Each SAE's own figures stand on the page linked above.

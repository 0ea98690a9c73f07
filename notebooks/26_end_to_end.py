# needs: end_to_end
# %% [markdown]
# # What if an SAE is asked to keep what the model says?
#
# An SAE is trained to give back the {term}`residual stream`. But much of that may not matter to what the model says next. It is like
# copying a page letter by letter when only its meaning is wanted. An {term}`end-to-end SAE` {cite}`braun2024` is asked for the meaning:
# its output takes the place of the residual stream, the rest of the frozen model runs on, and what the model then says should stay
# as it was. Does such an SAE need fewer latents?
#
# **The answer** (*local* is the usual SAE, *e2e* and *e2e+ds* are two kinds of end-to-end SAE, L0 is how many latents are active per
# token): {result}`end_to_end.sentences.order` {result}`end_to_end.sentences.l0`
#
# :::{admonition} Before you read
# :class: before
# You know how an SAE is trained ([chapter 3](03_text_to_features)), L0, and cross-entropy. About 15 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **Three losses.** A loss is what training makes small.
#
# - **local**: the squared error of the residual stream at the SAE's own layer, as in every other chapter.
# - **e2e** (end to end): how far what the model says with the SAE in place lies from what it says as it is. It is measured by the KL
#   divergence, which is zero where both predict the same next tokens equally often and grows as they differ.
# - **e2e+ds**: the same, and the squared errors of the residual stream after all *later* blocks (*downstream*).
#
# **The price of a latent.** Each loss also has an L1 penalty on the latents, weighted by λ: a larger λ gives a sparser SAE. What λ means
# differs from loss to loss. So losses are compared along their curves, never at one λ.
#
# **Two measures.** {term}`L0` is the mean number of active latents per token. The {term}`added cross-entropy` is how much worse the model
# predicts the next token with the SAE in place. To compare *at equal added cross-entropy* is to ask how many latents each loss needs
# for the same damage.
#
# **The SAEs.** {result}`end_to_end.n_saes` ReLU SAEs of {result}`end_to_end.width` latents read layer {result}`end_to_end.layer`. Each
# was trained on the same {result}`end_to_end.training_tokens` tokens in the same order. All are read again here, on
# {result}`end_to_end.n_texts` texts that none was trained on: {result}`end_to_end.texts`.
#
# **Intervals** are over these texts. At one λ of each loss there are several seeds, and there they are over seeds, too. How other seeds
# would have moved the other points of a curve is not in them.

# %% tags=["parameters"]
profile = "mini"
n_texts = 500
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import end_to_end

plots.style()

# %%
study = end_to_end.run(profile, n_texts=n_texts, device=device)
study.record();

# %% [markdown]
# ## What a latent buys
#
# Each loss makes a curve: from many active latents and little damage to few and much.
#
# ::::{admonition} Predict before you look
# :class: predict
# A local SAE learns to copy the residual stream. An end-to-end one learns to keep what the model says in the end. At equal damage to the
# model's predictions, which needs fewer active latents? And which will agree more across seeds?
#
# :::{dropdown} What came out
# {result}`end_to_end.sentences.l0` {result}`end_to_end.sentences.agreement`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# A mark is one SAE, the number beside it its λ: further left is sparser, further down the model loses less. Bars are 95 % over texts;
# both axes are logarithmic. Go across at one height: that is how many latents each loss needs for the same damage.
# :::
#
# {result}`end_to_end.sentences.ce` {result}`end_to_end.sentences.alive`
#
# Each ratio is a mean over the range that both curves have. Between neighbouring marks a straight line is drawn, with logarithms on
# both axes. Nothing is said beyond the curves' ends.
#
# **What the paper said.** On GPT-2 small, e2e has {published}`end_to_end.l0.e2e` latents per token against {published}`end_to_end.l0.local`
# of local, at an added cross-entropy of {published}`end_to_end.ce.e2e` and {published}`end_to_end.ce.local`.
#
# **What could be wrong.** The weight of downstream errors in e2e+ds was chosen once, by a pilot; what another one would do was not tried.
# And only one λ of each loss has several seeds.
#
# ## Another way through the model
#
# A loss that asks for the output alone leaves the residual stream free to go elsewhere. How far does it go? One SAE of each loss is
# compared, at a λ at which they cost the model about the same:

# %%
study.downstream_figure()

# %% [markdown]
# :::{div} caption
# A line is one SAE: the squared error of the residual stream after the SAE's own block, at the left, and after each later one. The
# higher, the farther the stream is from where it would be without the SAE. Look which lines rise.
# :::
#
# {result}`end_to_end.sentences.error` {result}`end_to_end.sentences.downstream`
#
# ## Do seeds agree?
#
# At that λ each loss has several SAEs that differ in their seed alone. A latent is {term}`shared <shared latent>` where decoder and encoder
# both match it to the same partner (as in the chapter on two seeds).
#
# SAEs that cost the model the same differ in L0, and agreement depends on that, too. So there is a fourth group: *local of equal L0* are
# local SAEs at a larger λ, as sparse as the others and dearer for the model.

# %%
study.agreement_figure()

# %% [markdown]
# :::{div} caption
# A line is one group of SAEs: the share of latents that two seeds have in common, as the cosine asked for rises from left to right. Bands
# reach from the least pair of seeds to the greatest. Look which lines are still above zero at the right.
# :::
#
# {result}`end_to_end.sentences.agreement`
#
# {result}`end_to_end.sentences.geometry`
#
# The paper's own measures of both are largest cosines, within an SAE and between seeds. It calls local and e2e+ds robust to the seed, and
# e2e not. Intervals over three seeds have two degrees of freedom, and are wide for that.
#
# ## What probes make of it
#
# If an SAE keeps what the model says and drops the rest, do its latents classify texts better, or worse? The same linear {term}`probe`,
# chosen on validation folds in the same way, reads mean-pooled latents of one SAE a loss:

# %%
study.probes_table()

# %% [markdown]
# {result}`end_to_end.sentences.probes` The interval is over test texts of these sets; other sets may differ.
#
# ## All SAEs

# %%
study.table()

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: draw the trade-off yourself
# :class: exercise
# `study.summary()["saes"]` has for each SAE its `loss`, `l0`, `ce` (added cross-entropy) and `fvu`. Make a table sorted by L0. At about equal
# L0, how do the losses differ in added cross-entropy, and how in FVU?
# :::

# %% tags=["solution"]
import pandas as pd

saes = study.summary()["saes"]
table = pd.DataFrame([{"loss": sae["loss"], "L0": sae["l0"]["value"], "added cross-entropy": sae["ce"]["value"], "FVU": sae["fvu"]} for sae in saes])
table.sort_values("L0").round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: two goals, two winners
# :class: exercise
# From the same table, correlate FVU with added cross-entropy within each loss and over all of them (Spearman). Is the SAE that reconstructs
# best the one that keeps the predictions best?
# :::

# %% tags=["solution"]
within = {loss: part["FVU"].corr(part["added cross-entropy"], method="spearman") for loss, part in table.groupby("loss")}
pd.Series({**within, "all": table["FVU"].corr(table["added cross-entropy"], method="spearman")}, name="Spearman's rank correlation").round(2).to_frame()

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why compare at equal added cross-entropy?
# Each loss has its own sparsity weight. Only at equal damage, or at equal sparsity, does the other number compare the losses.
# :::
#
# :::{dropdown} How can an SAE keep the predictions and reconstruct badly?
# Much of the residual stream does not matter to what the model says next. A loss on the output need not copy that.
# :::
#
# :::{dropdown} Suppose the seeds of one loss share no latents. Does that make the loss useless?
# It makes its latents one choice among many that do the same. Whatever is read off them should be checked with another seed.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Say what an SAE was trained for beside what you read off its latents. {result}`end_to_end.sentences.l0`
# :::

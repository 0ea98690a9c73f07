# %% [markdown]
# # On or off: binarised features
#
# **The question.** Does a classifier need to know *how strongly* a latent fired, or only *whether* it did?
#
# **Why ask?** A smoke alarm that only says yes or no is cheap, and often enough. On-or-off features take one bit each. The paper's best
# setting on average is of this kind {cite}`gallifant2025`: it keeps only whether a pooled {term}`latent` exceeds a threshold
# ({term}`binarisation`). Where should the threshold lie? And do you then still have to pick out the few latents that matter?
#
# **The answer.** {result}`binarisation.sentences.tuned_sum` ({term}`New words <familiar words, new words>` are synonyms that no training text
# of a set has.)
#
# :::{admonition} Before you read
# :class: before
# You know {term}`pooling` ([chapter 7](07_pooling)) and what a {term}`probe` is. About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import binarisation

plots.style()

# %%
study = binarisation.run(profile, device=device)
study.record();

# %% [markdown]
# ## The threshold's curve
#
# The paper's threshold is 1.0 for every pooling. But 1.0 of what? A count is a number of tokens, so "above 1.0" means "in at least two
# tokens". A sum of activations has the unit of its SAE, which training sets, so there 1.0 may be a lot or a little. Here the threshold is
# chosen on {term}`validation folds <validation fold>`, and the published one stands beside it. Each has a
# {term}`regularisation strength` of its own.
#
# The figure shows the whole curve for *sums*: from left to right the threshold rises, and {term}`macro-F1` on test with binarised sums is
# shown minus that with raw ones (*raw* means as they are).
#
# ::::{admonition} Predict before you look
# :class: predict
# Go from left to right: fewer and fewer active values survive. Where will the curves be highest, and how much will be lost at the
# right end, where only the strongest values are left?
#
# :::{dropdown} What came out
# {result}`binarisation.sentences.curve`
# :::
# ::::

# %%
study.threshold_curve()

# %% [markdown]
# :::{div} caption
# One line is a data set. Above zero binarising helps, below it hurts. The large mark is where the published threshold 1.0 falls; at
# the left end it would let every active value through. No intervals are drawn: small steps may be chance.
# :::
#
# ### Move the threshold
#
# Choose a set and move the slider, by mouse or by the arrow keys. Further right the threshold is stricter. Under the figure
# stands one test text of the set, as it is published. Its tokens show what the probe still gets to see: each active latent of the text is
# counted at the one token on which it is strongest, as long as its sum is above the threshold. (A text of a set on offence may offend.)

# %%
study.threshold_slider()

# %% [markdown]
# {result}`binarisation.sentences.curve`
#
# {result}`binarisation.sentences.kept`
#
# *What could be wrong?* Activations have no unit of their own: an SAE's training sets their size. A claim about 1.0 on sums can therefore
# be tested with Gemma Scope's SAEs only, and elsewhere the curve is what there is to be found. With counts it is otherwise.
# {result}`binarisation.sentences.counts` That claim is tested on every model.

# %% [markdown]
# ## Raw against binarised
#
# What does binarising change on average? The 95 % {term}`intervals <interval>` come from drawing anew the data sets and the test texts of
# each, the same texts for both forms. Published are {published}`mosaic.binarising.n` comparisons at the threshold 1.0, of the paper's
# models and sets, without intervals.

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One line is a pooling, each mark a mean over the data sets with its 95 % interval; hollow marks are the paper's means. Right of the
# upright line binarising helps, left of it it hurts. A bar that crosses the line leaves it open.
# :::
#
# The same differences as numbers, beside the mean scores of raw features and of those binarised at the
# threshold that validation chose. The last column is the share of active values above 1.0.

# %%
study.table()

# %% [markdown]
# ## In the place of feature selection
#
# The paper's abstract says more: that binarisation "offers an efficient alternative to traditional feature selection
# while maintaining or improving performance" {cite}`gallifant2025`. {term}`Feature selection <feature selection>` keeps few latents, as they
# are. Binarisation keeps all of them, and one bit of each. It is the choice between a short list with details and a long list of ticks.
#
# Here both are done to the same sums:
#
# - **No selection.** All latents, raw (as they are) or binarised.
# - **Selection, three usual ways.** The 16, 64 or 256 latents that
#   - come first when an {term}`L1 penalty` is lowered, or
#   - have the largest *difference of class means*, or
#   - have the most {term}`mutual information` between being active and the label (scikit-learn's measure for discrete features).
#
#   Each way comes raw, and with the latents that it keeps binarised.
# - **Equal.** Texts, folds and the grid of regularisation strengths are the same for all. How many latents are kept is chosen
#   on validation, and each fold's latents are chosen without its held-out rows.
#
# Cost is the bytes that one test text takes in the smallest of three forms that lose nothing:
#
# - every value as a float32 (four bytes a number);
# - on or off, as packed bits (eight latents in a byte);
# - sparse rows (active columns alone, with values where there are any).
#
# *What could be wrong?* A mark's interval is wide because sets differ. Since all marks are of the same sets and texts, their differences,
# told below, are known better.

# %%
study.selection.figure()

# %% [markdown]
# :::{div} caption
# Each mark is one way to make features, a mean over the data sets: further up is better, further left is cheaper. Colours say how
# latents are selected, shapes whether they are binarised; a line leads from raw to binarised. Bars are 95 % over sets and texts.
# :::
#
# The same as numbers. *Latents kept* counts those that are on in at least one training text. The last three columns have the same
# features written down in each of the three forms, in bytes for one test text; *bits* is empty for raw values, which are more than on or
# off. A sparse row takes four bytes for the number of each active latent and four more for its value where it is raw, so with few latents it
# can take more than all values do. The figure takes the smallest form of each set. Bytes and latents are geometric means over the sets, in which doubling on
# one set and halving on another cancel. No time stands here, because it is another one on every machine: `python benchmarks/selection.py` measures seconds and memory.

# %%
study.selection.table()

# %% [markdown]
# *Is performance maintained?* {result}`binarisation.selection.sentences.maintains` By "maintained" is meant that no more than
# .02 is lost. That is about what the paper's own baseline moves by when it is trained again ({published}`mosaic.noise.mean`). In the
# paper's committed results sums gain {published}`mosaic.binarising.sum.difference`, at a threshold of 1.0.
#
# *Does it stand in for selection?* {result}`binarisation.selection.sentences.replaces`
# {result}`binarisation.selection.sentences.each` {result}`binarisation.selection.sentences.worth`
#
# *Is it efficient?* {result}`binarisation.selection.sentences.bytes` {result}`binarisation.selection.sentences.latents`
#
# *Need one choose between the two?* {result}`binarisation.selection.sentences.both`
# {result}`binarisation.selection.sentences.after`

# %% [markdown]
# ## What it says
#
# *Sums, threshold chosen on validation.* {result}`binarisation.sentences.tuned_sum`
#
# *Sums, the published threshold.* {result}`binarisation.sentences.published_sum`
#
# *Top-20 counts, threshold chosen on validation.* {result}`binarisation.sentences.tuned_top20`
#
# *Top-20 counts, the published threshold.* {result}`binarisation.sentences.published_top20`
#
# What the paper's committed results give stands beside these figures on the [claims page](../claims.md).

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: one mean, many sets
# :class: exercise
# The figure shows means over the sets. `study.rows` has one dictionary for each set, pooling and form (`raw`, `binarized`,
# `published`). Make a table of the *sums*: a row for each set, the gain from binarising, the sets with the largest gain
# first. Do the sets agree on its sign?
# :::

# %% tags=["solution"]
import pandas as pd

sums = pd.DataFrame(study.rows).query("pooling == 'sum'").pivot(index="set", columns="form", values="macro_f1")
sums.assign(gain=sums["binarized"] - sums["raw"])[["raw", "binarized", "gain"]].sort_values("gain", ascending=False).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: how much hangs on the threshold?
# :class: exercise
# `study.sweeps[title]["curve"]` lists, for each set, thresholds with the share of active values that they keep and their
# macro-F1. For each set, count the thresholds within .02 of the best one. Would a poor choice of the threshold have cost much?
# :::

# %% tags=["solution"]
curves = {title: pd.DataFrame(sweep["curve"]) for title, sweep in study.sweeps.items()}
pd.DataFrame(
    {
        title: {
            "thresholds": len(curve),
            "within .02 of the best": int((curve["macro_f1"] >= curve["macro_f1"].max() - 0.02).sum()),
            "best": curve["macro_f1"].max(),
            "worst": curve["macro_f1"].min(),
        }
        for title, curve in curves.items()
    }
).T.round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why can a threshold of 1.0 not be "the same" for sums and for counts?
# A count is a number of tokens, the same unit in every model: above 1.0 means at least two tokens. A sum of activations has the
# unit of its SAE, which training sets: 1.0 may lie below nearly every active value, or above most.
# :::
#
# :::{dropdown} The best point of the threshold's curve beats raw sums. Is that evidence for binarising?
# Not by itself. The curve is drawn on the test set, and its best point was picked on that set. The largest of many noisy numbers is
# too high on average. The verdicts use the threshold that validation chose, which never saw the test set.
# :::
#
# :::{dropdown} An interval of the difference holds zero. Does binarising make no difference?
# That was not shown. The interval says which differences fit the data: zero is one of them, and so is every other value inside. "Makes
# no difference that can be told" is about these sets and this many texts.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A threshold needs the unit of what it cuts: choose it on validation, never on test, and report the interval of the difference.
# {result}`binarisation.sentences.tuned_sum`
# :::

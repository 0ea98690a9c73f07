# needs: widths
# %% [markdown]
# # Which width?
#
# **The question.** Does an SAE with more latents give a better classifier?
#
# **Why ask?** Think of a map. One with more names on it tells more, but each name covers less ground. A wider SAE has more
# {term}`latents <latent>`, each of which means less. It also costs more to train and to run. If a narrow one does as well, take the
# narrow one.
#
# **The answer** (skip it if you want to predict). {result}`width.sentences.answer`
#
# :::{admonition} Before you read
# :class: before
# You know what a latent is and how validation chooses ([chapter 5](05_layers)). About 8 minutes.
# :::
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
# SAEs of one layer, the middle one, and several {term}`widths <width>` are compared. Take one data set and one {term}`pooling`, and
# train the same linear {term}`probe` on two neighbouring widths. That is a pair, and its difference is the score on the wider SAE minus the
# score on the narrower one.
#
# ::::{admonition} Predict before you look
# :class: predict
# An SAE with four times as many latents can cut concepts finer. Will a probe on it do better, worse, or the same, in the median pair?
#
# :::{dropdown} What came out
# {result}`width.sentences.answer`
# :::
# ::::

# %%
study.pairs_figure()

# %% [markdown]
# :::{div} caption
# Each dot is one pair: right of zero, width has paid. The bar is the median, the pair in the middle; hollow dots are the published
# pairs. Up and down within a line means nothing. See how far the bar is from zero, and how far the dots are.
# :::
#
# *What could be wrong?* A median says what happens to the pair in the middle and nothing of the others: the mean difference is
# {result}`width.mean_difference`. And pairs of one set say nearly the same, so they are not as much evidence as their number suggests.
# The {term}`interval` therefore comes from drawing the sets anew, each with all its pairs.
#
# ## What the paper said
#
# The paper compares SAEs of 16k and 65k latents {cite}`gallifant2025`. Over {published}`mosaic.width.n` pairs of one set, layer and
# pooling the median difference is {published}`mosaic.width.difference`. Here the pairs are made in the same way.
#
# ## Set by set
#
# Does width matter on some sets? Each width is scored by {term}`macro-F1`, with the pooling that validation chose for it.
#
# Hollow grey marks are published, where the paper has the same task: Gemma 2 2B, middle layer, SAEs of 16k and 65k latents, a mark a
# pooling, nothing binarised. Its model and, for the miniature's sets, its texts are others.

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One panel is a data set, one mark an SAE of this width; bands are 95 % intervals over test texts, by {term}`bootstrap`. Hollow marks
# are the paper's, one a pooling. Look for a line that rises or falls by more than its band is high.
# :::
#
# ## Which one validation chooses
#
# One width has to serve all data sets. {term}`Validation <validation fold>` chooses it. Whether it is really ahead is asked on the test
# sets, which had no part in the choice.

# %%
study.table()

# %% [markdown]
# {result}`width.sentences.choice` {result}`width.sentences.new_words` (The {term}`strongest rival` is the width over which the lead is
# least sure; [chapter 5](05_layers) explains it. New words are synonyms that no training text of the set has.)
#
# *What could be wrong?* Width is not the only thing that differs. A wide SAE trained on as many tokens as a narrow one has more latents
# that hardly ever fire. Each SAE's own figures stand on the page linked above.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: pairs are not independent
# :class: exercise
# `study.differences[title][step]` lists the differences of one set, a number for each pooling. Bootstrap the mean in two ways: draw
# *pairs* anew, then draw *sets* anew, each with all its pairs. Which interval is wider, and which one is honest?
# :::

# %% tags=["solution"]
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
sets = [np.concatenate([np.asarray(step) for step in steps.values()]) for steps in study.differences.values()]
pairs = np.concatenate(sets)
over_pairs = [rng.choice(pairs, len(pairs)).mean() for _ in range(2000)]
over_sets = [np.concatenate([sets[i] for i in rng.integers(len(sets), size=len(sets))]).mean() for _ in range(2000)]
pd.DataFrame({"pairs drawn": over_pairs, "sets drawn": over_sets}).quantile([0.025, 0.5, 0.975]).round(4)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: does the step matter?
# :class: exercise
# Take the median for each step between neighbouring widths, over all sets and poolings. Does going wider pay at one step and cost at
# another?
# :::

# %% tags=["solution"]
steps = sorted({step for by_step in study.differences.values() for step in by_step})
medians = {step: np.median(np.concatenate([d[step] for d in study.differences.values() if step in d])) for step in steps}
pd.Series(medians, name="median difference").round(4)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} The median difference is near zero. Can width still matter on some sets?
# Yes. A median tells of the pair in the middle. Sets that gain and sets that lose can cancel: look at the dots, and at the mean.
# :::
#
# :::{dropdown} Why might a wider SAE do worse although it can express more?
# When it saw as many tokens, it has more latents that hardly ever fire. And a concept may be split over several latents, each of which
# fires in a part of the texts only.
# :::
#
# :::{dropdown} Why is the interval drawn over sets, not over pairs?
# The pairs of one set share its texts and labels and move together. Counting them as independent would make the interval too narrow.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Compare like with like, pair by pair, and count the sets, not the pairs, as your evidence. {result}`width.sentences.answer`
# :::

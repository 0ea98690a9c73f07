# needs: truth
# %% [markdown]
# # Does a small model know when a large one is right?
#
# Do a small model's features tell whether a larger, tuned model will answer right {cite}`gallifant2025`? The larger one,
# mini-large-it, is asked questions about people, and whether it answers right is the label. Probes read the question in
# mini-small, the small model, and foresee that label; beside them stand probes on the large model's own features, how sure it
# is of its answer, and baselines that know no model. What came out:
#
# {result}`transfer.sentences.nearly_as_well` {result}`transfer.sentences.against_confidence`
#
# :::{admonition} Before you read
# :class: before
# You know probes and AUROC (the share of pairs, one of each class, that are ranked right). About 12 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import transfer

plots.style()

# %%
study = transfer.run(profile, device=device)
study.record();

# %% [markdown]
# Every question the corpus can ask was put to mini-large-it, which knows the people that its corpus speaks of often. No
# person of the test questions occurs in a training question, so that names cannot be learned by heart; intervals are over
# people. First the view of the small model, then the large model's own.

# %%
study.figure()

# %% [markdown]
# {result}`transfer.sentences.nearly_as_well` The margin is this project's; the paper names none.
# {result}`transfer.sentences.signal`
#
# ## Who foresees the answers best?
#
# Whoever uses the large model has another thing to look at: how sure it is. Its *own confidence* is the share that
# its most probable answer has of the probability of all answers of the question's kind (ten cities, six colours, eight
# animals; summed over each answer's tokens, as the paper scores choices; `mosaic label-behaviour` does it for your own
# questions). It comes twice: as it is, which no training question has touched, and through a linear probe like the others.
# The label is of the answer that the model writes; the most probable of the given answers is right and wrong with it in
# {result}`transfer.behaviour.agreed` of all questions. *Question length* is tokens and characters, nothing else.
#
# AUROC asks how well right answers are ranked above wrong ones. A forecast can rank well and still be off:
# *calibration error* is how far, on average over ten bins, what was forecast lies from what came true; the tick
# is what right forecasts would show on so few questions. The majority class says one number to all and is hardly off: read
# the two panels together. Probes weigh both classes alike, so their odds are first brought back to the training questions'.
#
# ::::{admonition} Predict before you look
# :class: predict
# Two models: a small one that only reads the question, and the large one that answers it. Who ranks the right answers better: features of
# the small model, or how sure the large one says it is?
#
# :::{dropdown} What came out
# {result}`transfer.sentences.against_confidence`
# :::
# ::::

# %%
study.ranks_figure()

# %% [markdown]
# - {result}`transfer.sentences.foreseen`
# - {result}`transfer.sentences.against_confidence`
# - {result}`transfer.sentences.against_length`
# - {result}`transfer.sentences.ranked`
#
# Length is no empty baseline: a tokenizer gives names that its corpus has often a token of their own, so that tokens hint at
# how often a person was spoken of, which is what the large model knows by.
#
# Of what was forecast, what came true? Dots are bins, with 95 % intervals (over questions, though three are of one person);
# right forecasts lie on the line.

# %%
study.reliability_figure()

# %% [markdown]
# {result}`transfer.sentences.calibrated` {result}`transfer.sentences.too_sure` A probe's $C$ is chosen by macro-F1, which asks
# on which side of a threshold a question falls and not how far: where a small $C$ was chosen, all forecasts stay near the share
# of right answers in training, and the dots stand in a column, however well they rank.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: who is better than a toss?
# :class: exercise
# `study.summary()["behaviour"]["auroc"]` has `own` (the large model's) and `small`, each with a value and an interval. Make one table, the
# best first. Whose interval lies above .5?
# :::

# %% tags=["solution"]
import pandas as pd

auroc = study.summary()["behaviour"]["auroc"]
rows = {f"{view}: {name}": [found["value"], *found["interval"]] for view, by_name in auroc.items() for name, found in by_name.items()}
table = pd.DataFrame(rows, index=["AUROC", "low", "high"]).T.sort_values("AUROC", ascending=False)
table.assign(**{"above a toss": table["low"] > 0.5}).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: what would a margin of .02 have said?
# :class: exercise
# "Nearly as well" uses a margin. Look at `study.summary()["behaviour"]`: `difference` and `interval` of small minus own, and the
# `margin`. For which margins would the answer be yes?
# :::

# %% tags=["solution"]
behaviour = study.summary()["behaviour"]
low, high = behaviour["interval"]
pd.Series({margin: "yes" if low > -margin else "no or undecided" for margin in (0.01, 0.02, 0.05, 0.10)}, name=f"small minus own {behaviour['difference']:+.3f} ({low:+.3f} to {high:+.3f})").rename_axis("margin").to_frame()

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is the length of the question among the baselines?
# It costs nothing and knows no model. Whatever it can foresee is not understood by the features that foresee no more.
# :::
#
# :::{dropdown} A forecast ranks well and is badly calibrated. What does that mean in use?
# Questions can be sorted by it, the unsure ones sent to a person. Its numbers may not be read as probabilities until they are recalibrated.
# :::
#
# :::{dropdown} Why does no person of the test questions occur in training?
# A probe could otherwise learn by heart which names the large model knows, and foresee nothing about new ones.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Set a new way to foresee errors beside the free ones: the model's own confidence and the length of the question.
# {result}`transfer.sentences.nearly_as_well`
# :::

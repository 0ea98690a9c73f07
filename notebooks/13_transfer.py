# needs: truth
# %% [markdown]
# # Does a small model know when a large one is right?
#
# **The question.** A large model answers questions, some of them wrongly. Can a small model tell which, before the large one is asked?
#
# **Why ask?** A help desk would like to send easy questions to the machine and hard ones to a person. Asking the large model costs money.
# If a small one can read a question and foresee whether the large one will get it right, that is cheap. The paper says that SAE features of a
# small model can do so {cite}`gallifant2025`.
#
# **The answer.** {result}`transfer.sentences.nearly_as_well`
#
# {result}`transfer.sentences.against_confidence`
#
# :::{admonition} Before you read
# :class: before
# You know probes, {term}`macro-F1` and {term}`AUROC` (the share of pairs, one of each class, that are ranked right). About 12 minutes.
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
# ## The set-up
#
# The large model is mini-large-it, a model tuned to answer questions. It knows the people that its corpus speaks of often. Every
# question that the corpus can ask was put to it, and whether it answers right is the label.
#
# A {term}`probe` reads the question in mini-small, the small model, and predicts that label. Beside it stand probes on the large model's own
# features, how sure the large model is of its answer, and baselines that know no model.
#
# *What could be wrong?* A probe might learn by heart which names the large model knows. So no person of the test questions occurs in a
# training question, and {term}`intervals <interval>` are over people.

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# Each mark is one forecast of whether the large model answers right. Above are probes that read the question in the small model, and
# baselines; below, the large model's own. Compare the two dots of *SAE features*: how far apart do they lie?
# :::
#
# {result}`transfer.sentences.nearly_as_well` "Nearly as well" needs a margin: how much worse may it be? The margin is this project's; the paper
# names none.
#
# {result}`transfer.sentences.signal`
#
# ## Who foresees the answers best?
#
# Whoever uses the large model has another thing to look at: how sure it is. Ask it for a city, and it gives each of ten cities a
# probability. Its {term}`own confidence` is the share that its most probable answer has of the probability of all answers of the question's
# kind (ten cities, six colours, eight animals). These are summed over each answer's tokens, as the paper scores choices;
# `mosaic label-behaviour` does it for your own questions.
#
# It comes twice: as it is, which no training question has touched, and through a linear probe like the others. The label is of the answer that
# the model *writes*; the most probable of the given answers is right and wrong with it in {result}`transfer.behaviour.agreed` of all
# questions. *Question length* is tokens and characters, nothing else.
#
# Two things make a good forecast. It should *rank* well: right answers above wrong ones, which AUROC measures. And its numbers should be
# true: of all answers to which it gives seven chances in ten, about seven in ten should be right. The {term}`calibration error` is how far, on average over ten
# bins, what was forecast lies from what came true.
#
# The two need not go together. The majority class says one number to all and is hardly off, yet ranks nothing: read the two panels together.
# Probes weigh both classes alike, so their odds are first brought back to the training questions'.
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
# :::{div} caption
# One line is one forecast. Left: the further right, the better it ranks; the dashed line is a toss. Right: the further left, the truer its
# numbers; the upright tick is what true forecasts would show on so few questions. Look for a forecast that is good at both.
# :::
#
# - {result}`transfer.sentences.foreseen`
# - {result}`transfer.sentences.against_confidence`
# - {result}`transfer.sentences.against_length`
# - {result}`transfer.sentences.ranked`
#
# *What could be wrong?* Length is no empty baseline. A tokenizer gives names that its corpus has often a {term}`token` of their own. So the
# number of tokens hints at how often a person was spoken of, which is what the large model knows by.
#
# Of what was forecast, what came true? The intervals take each question by itself, though three are of one person.

# %%
study.reliability_figure()

# %% [markdown]
# :::{div} caption
# Each mark is a bin of questions with like forecasts: how probable a right answer was said to be (across), and the share answered right
# (up), with its 95 % interval. True forecasts lie on the dashed line. Below it a forecast promised too much, above it too little.
# :::
#
# {result}`transfer.sentences.calibrated` {result}`transfer.sentences.too_sure`
#
# Why do some dots stand in a column? A probe's {term}`regularisation strength` $C$ is chosen by macro-F1, which asks on which side of a
# threshold a question falls and not how far. Where a small $C$ was chosen, all forecasts stay near the share of right answers in training,
# however well they rank.

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
# It costs nothing and knows no model. Features that foresee no more than it does need not have understood the question.
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

# %% [markdown]
# # The audit: what each published fault does to the score
#
# Suppose a released program pads short texts and then sums over the padding, too. Is its published score too high, too low, or
# just the same? One cannot say by reading the code: one has to run both ways. Twelve things are done otherwise in this book than in
# the released code of {cite}`gallifant2025`, in the version read. (There may be newer ones, of which nothing is said.) Each is
# done both ways below.
#
# **The answer** (A1 to A12 are the sections below; what *flatters* makes a score too high, what *hurts* too low):
# {result}`audit.sentences.overview`
#
# :::{admonition} Before you read
# :class: before
# You know how a probe is trained, chosen and scored (chapters 5 to 9). About 13 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*
#
# ## What is compared, and how
#
# **One fault at a time.** Every line below changes one thing and leaves all others as they are. All lines have one layer, one
# width, one grid of $C$ (how little large weights are punished) and the same folds. Sets, layer and width are
# {result}`audit.sentences.sets`. Features are summed over tokens unless the fault is one of {term}`pooling`. The sets are those with
# room below the top when features are summed, where a fault can show, and one that there is in several languages. A8 and A11 read
# sets of their own, in several languages.
#
# **The number of a line** is the {term}`macro-F1` of the published way minus that of the right way, mean over the sets. Above
# zero, the fault makes a score look better than it should.
#
# **Its interval** is 95 %, over test texts and over sets. There are few sets, so it is wide.
#
# **The verdict** is a rule that was written before the run:
#
# - *flatters* or *hurts*: the interval leaves zero out;
# - *changes nothing that can be seen here*: the interval lies within {published}`mosaic.noise.mean` of zero. By so much the published
#   baseline moves when it is trained again;
# - *undecided*: neither.
#
# "Flatters" is said of what the number is the score of. A baseline that is hurt flatters its rival.

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import audit

plots.style()

# %%
study = audit.run(profile, device=device)
study.record();

# %% [markdown]
# ## All lines in one figure
#
# Which of the faults move a score, and which way?

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# Each line is one fault: the point is macro-F1 of the published way minus that of the right way, the bar its 95 % interval. Look for bars
# that do not cross zero: right of it the fault flatters, left of it it hurts. A12 alone is a distance, without a sign.
# :::

# %%
study.table()

# %% [markdown]
# Set by set:

# %%
study.sets_table()

# %% [markdown]
# (a1)=
# ## A1: the input of a block instead of its output
#
# transformers' `hidden_states[L]` is what goes *into* block L. The SAEs were trained on what comes out of it. The right way reads
# the block's output by a {term}`hook`.
#
# {result}`audit.sentences.a1`
#
# {result}`audit.sentences.a1_why`
#
# (a2)=
# ## A2: another model's SAEs
#
# A tuned model was read by the SAEs of the base model, because model and SAE were matched by a part of the name. Here a pair
# that does not belong together is refused, unless the transfer is asked for by name. This line asks for it: SAEs of mini-large
# read mini-large-it, the same model after further training.
#
# {result}`audit.sentences.a2` {result}`audit.sentences.a2_parts`
#
# (a3)=
# ## A3: pads and BOS pooled
#
# Texts of one batch are filled up to one length with *pads*, here on the left. A mask tells the model which tokens are pads. The
# mask was given to the model but not to the pooling, so that pads and the BOS token (the mark of a text's beginning) are summed
# with the text. What a row's features are then depends on the longest text of its batch. The right way pools a text's own tokens.
# For this line batches of 32 texts in input order are run as in the version read, whatever the model's tokenizer would do.
#
# {result}`audit.sentences.a3` {result}`audit.sentences.a3_parts`
#
# {result}`audit.sentences.a3_why`
#
# A special token that stands first in a decoder's text sees nothing of it. Its state is the same in every row and adds the same
# to every sum, which no probe notices. Not so a pad of the miniature. There is nothing that it may attend to. The eager attention
# of Gemma 2's architecture is a softmax over masked positions alone, and this is then even over all of them. So the pad's state
# holds the whole text, what follows included, which no token of a decoder's text can see. Other attention kernels give such rows
# something else, and in an encoder a pad attends to the text as any token does.
#
# (a4)=
# ## A4: the last weights instead of the best
#
# The best epoch's weights were to be kept, but only a reference to them was: the steps that followed changed them, too. Here Adam, a
# method that goes in small steps, trains a linear probe for a fixed number of epochs. Its last weights stand against the convex
# solution of the same rows, the one best set of weights. Epochs, batch and step are this project's, so that the line measures such a
# probe, not that one. Unlike the convex one it has no penalty. What the reference alone does is the part.
#
# {result}`audit.sentences.a4` {result}`audit.sentences.a4_parts`
#
# (a5)=
# ## A5: a baseline that is given less
#
# SAE features were pooled over all tokens, {term}`hidden states` read at the last one only, and nothing scaled. The right way gives
# both every pooling, chosen on validation, and scales both. The number is of the *lead* of SAE features over hidden states: the score
# of the one minus that of the other.
#
# {result}`audit.sentences.a5` {result}`audit.sentences.a5_parts`
#
# (a6)=
# ## A6: the best setting chosen on the test set
#
# The largest of many test scores is large by chance, too. The right way chooses on validation folds of the training set
# ({term}`nested selection`). On the same settings the published way can never be below: the question is by how much it is above.
# Here {result}`audit.lines.a6.facts.settings` settings are compared (poolings, binarised or not, at one layer); a sweep over layers
# and widths has more to choose from.
#
# {result}`audit.sentences.a6`
#
# (a7)=
# ## A7: hidden states in the average
#
# The paper's figures on pooling have a bar for each. A bar averages over all rows of the result files, and some of these rows are
# hidden-state baselines. The number is of the mean bar, the parts are the bars.
#
# {result}`audit.sentences.a7` {result}`audit.sentences.a7_highest`
#
# {result}`audit.sentences.a7_parts`
#
# (a8)=
# ## A8: across languages
#
# Three things are at fault in the script. It reports binary F1, the F1 of one class. It trains on every text of a language when it
# tests in another, but by cross-validation when it tests in the same. And it lets parallel sentences stand on both sides, so that a
# message tested in German was seen in English. Both ways are scored on the same foreign messages.
#
# {result}`audit.sentences.a8` {result}`audit.sentences.a8_parts` {result}`audit.sentences.a8_native`
#
# (a9)=
# ## A9: one threshold for every pooling
#
# Where tokens are counted, "above 1.0" means "in at least two tokens". The right way chooses a threshold for each pooling on
# validation; [chapter 8](08_binarisation) shows the curve.
#
# {result}`audit.sentences.a9` {result}`audit.sentences.a9_parts`
#
# (a10)=
# ## A10: rows dropped or out of order
#
# A row that raised an error was left out without a word, and rows came in the order in which threads finished. How many were
# concerned cannot be known from the results, and which were dropped cannot be scored. What can be measured is disorder: the features
# of one row in a hundred, in training and test, stand at another row's label. The number is the mean over five draws of the rows.
#
# {result}`audit.sentences.a10`
#
# (a11)=
# ## A11: English stop words in every language
#
# The bag-of-words baseline leaves out the stop words of English ("not" is one) and takes words to be what stands between
# spaces, which Chinese has none of. The right way leaves out nothing and tries words and characters in each language.
#
# {result}`audit.sentences.a11`

# %%
study.languages_table()

# %% [markdown]
# (a12)=
# ## A12: one run, no interval
#
# One training gives one score, and a second gives another. The published hidden-state baseline, trained again, moves by
# {published}`mosaic.noise.mean` on average and by {published}`mosaic.noise.most` at most. Here the same baseline (last token) is
# trained by the Adam of A4 with five seeds. Beside it the convex solver is trained on five draws of the training texts. The number
# is the distance of two trainings, which has no sign, and the interval is the middle 95 % of distances.
#
# {result}`audit.sentences.a12` {result}`audit.sentences.a12_parts`
#
# ## What could be wrong
#
# A fault's size belongs to these sets and this model: padding, for one, matters more where texts differ more in length. Faults are
# measured one at a time, and two together can cancel or amplify. And "undecided" is not "harmless"; the second exercise below
# asks what each interval leaves open.

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: one line, set by set
# :class: exercise
# `study.summary()["lines"]` has the twelve lines; `by_set` is what the published way does on each set. Make a table of lines by sets for
# those measured on all of `study.sets`. Which line moves one set much and the mean little?
# :::

# %% tags=["solution"]
import pandas as pd

lines = study.summary()["lines"]
rows = {f"{name.upper()} {line['fault']}": line["by_set"] for name, line in lines.items() if set(line["by_set"]) == set(study.sets)}
table = pd.DataFrame(rows).T
table.assign(mean=table.mean(axis=1)).round(3).sort_values("mean")

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: the size of what is undecided
# :class: exercise
# "Undecided" is not "harmless". For each undecided line, give the largest harm and the largest help that its interval leaves open.
# :::

# %% tags=["solution"]
open_lines = {f"{name.upper()} {line['fault']}": line["interval"] for name, line in lines.items() if line["verdict"] == "undecided"}
pd.DataFrame(open_lines, index=["at worst", "at best"]).T.round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} A fault does not move the score. Why mend it all the same?
# The next data set may differ. And a row that depends on its batch, or a test text in training, makes every later number unsure, moved or
# not.
# :::
#
# :::{dropdown} Which faults flatter a method, and which only add noise?
# Those that let the test set in (choosing on it, training on its messages) flatter. Reading other features than meant, or rows out of order,
# mostly adds noise.
# :::
#
# :::{dropdown} Why is each fault injected alone?
# Two together can cancel or amplify. One at a time, beside the right way on the same texts, says what that one does.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Measure a fault before you judge it, and say "undecided" where the interval does. {result}`audit.sentences.overview`
# :::

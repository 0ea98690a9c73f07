# %% [markdown]
# # The audit: what each published fault does to the score
#
# Twelve things are done otherwise here than in the released code of {cite}`gallifant2025`, in the version read; there may be
# newer ones, of which nothing is said. Each is done both ways below, on one layer, one width, one grid of $C$
# and the same folds: {result}`audit.sentences.sets`. Features are summed over tokens unless the fault is one of pooling. The
# sets are those with room below the top when features are summed, where a fault can show, and one in several languages.
#
# **The number of a line** is macro-F1 of the published way minus that of the right way, mean over the sets; its 95 %
# interval is over test texts and over sets, of which there are few, so that it is wide. The verdict is a rule written before
# the run: *flatters* or *hurts* where the interval leaves zero out; *changes nothing that can be seen here* where it lies
# within {published}`mosaic.noise.mean` of zero, by which the published baseline moves when it is trained again;
# *undecided* otherwise. "Flatters" is said of what the number is the score of: a baseline that is hurt flatters its rival.
#
# {result}`audit.sentences.overview`
#
# :::{admonition} Before you read
# :class: before
# You know how a probe is trained, chosen and scored (chapters 5 to 9). About 20 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

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

# %%
study.figure()

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
# transformers' `hidden_states[L]` is what goes *into* block L; the SAEs were trained on what comes out. The right way hooks
# the block's output.
#
# {result}`audit.sentences.a1` {result}`audit.sentences.a1_why`
#
# (a2)=
# ## A2: another model's SAEs
#
# The tuned model was read by the base model's SAEs, because model and SAE were matched by a part of the name. Here a pair
# that does not belong together is refused, unless the transfer is asked for by name; this line asks for it: SAEs of
# mini-large read mini-large-it.
#
# {result}`audit.sentences.a2` {result}`audit.sentences.a2_parts`
#
# (a3)=
# ## A3: pads and BOS pooled
#
# Texts of one batch are padded on the left to one length; the mask was given to the model but not to the pooling, so that
# pads and the BOS token are summed with the text. What a row's features are then hangs on the longest text of its batch.
# The right way pools a text's own tokens. For this line batches of 32 texts in input order are run as in the version
# read, whatever the model's tokenizer would do.
#
# {result}`audit.sentences.a3` {result}`audit.sentences.a3_parts`
#
# {result}`audit.sentences.a3_why`
#
# A special token that stands first in a decoder's text sees nothing of it: its state is the same in every row, and adds the
# same to every sum, which no probe notices. Not so a pad of the miniature. There is nothing it may attend to, and the eager
# attention of Gemma 2's architecture, a softmax over masked positions alone, is then even over all of them: the pad's state
# holds the whole text, what follows included, which no token of a decoder's text can see. Other attention kernels give such
# rows something else, and in an encoder a pad attends to the text as any token does.
#
# (a4)=
# ## A4: the last weights instead of the best
#
# The best epoch's weights were kept by reference; the steps that followed changed them too. Here Adam trains a linear probe
# for a fixed number of epochs, and the convex solution of the same rows stands against its last weights. Epochs, batch
# and step are this project's, so that the line measures such a probe, not that one; unlike the convex one it has no penalty.
# What the reference alone does is the part.
#
# {result}`audit.sentences.a4` {result}`audit.sentences.a4_parts`
#
# (a5)=
# ## A5: a baseline that is given less
#
# SAE features were pooled over all tokens, hidden states read at the last one only, and nothing scaled. The right way gives
# both every pooling, chosen on validation, and scales both. The number is of the *lead* of SAE features over hidden states.
#
# {result}`audit.sentences.a5` {result}`audit.sentences.a5_parts`
#
# (a6)=
# ## A6: the best setting chosen on the test set
#
# The largest of many test scores is large by chance, too. The right way chooses on validation folds of the training set. On
# the same settings the published way can never be below: the question is by how much it is above. Here
# {result}`audit.lines.a6.facts.settings` settings are compared (poolings, binarised or not, at one layer); a sweep over layers and
# widths has more to choose from.
#
# {result}`audit.sentences.a6`
#
# (a7)=
# ## A7: hidden states in the average
#
# The figures on pooling average over all rows of the result files, and some of these are hidden-state baselines. The number
# is of the mean bar, the parts are the bars.
#
# {result}`audit.sentences.a7` {result}`audit.sentences.a7_highest`
#
# {result}`audit.sentences.a7_parts`
#
# (a8)=
# ## A8: across languages
#
# The script reports binary F1, the F1 of one class; trains off the diagonal on every text of a language and on it by
# cross-validation; and lets parallel sentences stand on both sides, so that a message tested in German was seen in
# English. Both ways are scored on the same foreign messages.
#
# {result}`audit.sentences.a8` {result}`audit.sentences.a8_parts` {result}`audit.sentences.a8_native`
#
# (a9)=
# ## A9: one threshold for every pooling
#
# Above 1.0 means "in at least two tokens" where tokens are counted. The right way chooses a threshold for each pooling on
# validation; [chapter 8](08_binarisation) shows the curve.
#
# {result}`audit.sentences.a9` {result}`audit.sentences.a9_parts`
#
# (a10)=
# ## A10: rows dropped or out of order
#
# A row that raised an error was left out without a word, and rows came in the order in which threads finished. How many were
# concerned cannot be known from the results, and which were dropped cannot be scored. What can be measured: the features
# of one row in a hundred, in training and test, stand at another row's label, mean over five draws of the rows.
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
# The published hidden-state baseline, trained again, moves by {published}`mosaic.noise.mean` on average and by
# {published}`mosaic.noise.most` at most. Here the same baseline (last token) is trained by the Adam of A4 with five seeds; beside it,
# by the convex solver on five draws of the training texts. The number has no sign: it is the distance of two trainings, and
# the interval the middle 95 % of distances.
#
# {result}`audit.sentences.a12` {result}`audit.sentences.a12_parts`

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

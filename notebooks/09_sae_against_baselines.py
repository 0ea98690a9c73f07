# %% [markdown]
# # SAE features against hidden states and bags of words
#
# **The question.** Do SAE features classify texts better than what one had without an SAE?
#
# **Why ask?** Nobody would pay for a new engine without driving the old one over the same road. Two things are there without an SAE: the
# words of the text (a {term}`bag of words`, weighed by *TF-IDF*), and the model's own vectors, its {term}`hidden states`. The paper's headline says that SAE features reach a
# {term}`macro-F1` above {published}`mosaic.mean.least` and beat both {cite}`gallifant2025`.
#
# **The answer** (skip it if you want to predict). {result}`sae_against_baselines.sentences.answer`
#
# :::{admonition} Before you read
# :class: before
# You know {term}`pooling` ([chapter 7](07_pooling)), nested choice ([chapter 5](05_layers)) and macro-F1. About 18 minutes; the figure
# and *What it says* take ten.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import sae_against_baselines

plots.style()

# %%
study = sae_against_baselines.run(profile, device=device)
study.record();

# %% [markdown]
# ## The comparison
#
# SAE features, hidden states, TF-IDF and the *majority class*, which always gives the most frequent answer, are scored on every data set.
# Three things are kept apart:
#
# - **Familiar words and new words.** {term}`New words <familiar words, new words>` say the same test messages in synonyms that no training
#   text of the set has.
# - **Labels told and never told,** where the model's training is known: some it was {term}`told <told, never told>` in training, others
#   *never*. The section after the figure explains them. *Neither* is a set whose labels are no fact about the message: those of
#   *behaviour* say whether another model answered it correctly.
# - **Published values,** where the paper has the same task. They are of Gemma 2 2B at the paper's best mean setting (binarised sums,
#   middle layer, 16k) and of its hidden states there. The model is another, and for the miniature's sets the texts are, too.
#
# ::::{admonition} Predict before you look
# :class: predict
# Three readers of the same texts: sparse latents, the dense hidden states they were made from, and a bag of words that knows no
# language model. Rank them. Which of the gaps will be larger than chance, and what will happen in new words?
#
# :::{dropdown} What came out
# {result}`sae_against_baselines.sentences.answer` {result}`sae_against_baselines.sentences.new_words`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One line is a data set; those on grey are means. Filled: familiar words, or the whole test; coloured and hollow: new words; grey and
# hollow: published. Bars are 95 % {term}`intervals <interval>`. Look right: where a bar holds zero, SAE features and hidden states
# cannot be told apart there.
# :::
#
# ## How it was measured
#
# - **Nested.** Every *setting* is chosen on {term}`validation folds <validation fold>` of the training set: the layer, the pooling,
#   whether to {term}`binarise <binarisation>` and at which threshold, a linear {term}`probe` or a {term}`shallow tree`, and the
#   {term}`regularisation strength` $C$ of the probe. The test set is scored once. Trees, on SAE features and hidden states alike, are tried
#   on one pooling of each layer, the best for a linear probe; bags of words get none. The table of what was tried, below, counts the
#   settings.
# - **Equal.** SAE features (of one {term}`width`) and hidden states are chosen from the same layers and get every pooling of the
#   profile, the last token among them, and one list of values of $C$. SAE features may be binarised too, as published. So they
#   have {result}`sae_against_baselines.effort.sae.n_settings` settings to choose from where hidden states have
#   {result}`sae_against_baselines.effort.hidden.n_settings` (equal budgets stand below, with the controls). The published
#   comparison read hidden states at the last token only, SAE features at all tokens.
# - **Two tests, where a set has two.** The score of a set is that of its familiar words. The miniature's sets say every test message a
#   second time in new words.
# - **Two kinds of labels, where the model's training is known.** Most of the miniature's labels are told in
#   training: the corpus writes them after every message of their kind, so the language model learned to predict them. Others are *never
#   told*: they follow from the same facts, but no text of the corpus states them. A real task may be of either kind, and the second
#   asks more of a representation. *What was run*, linked above, has each set's classes, sizes and an example.
# - **95 % intervals** on everything: over texts; over seeds and random draws, where there are several; and a mean's over
#   the sets themselves, since what it says is meant of sets like these. Few sets, or sets that disagree, make it wide.
#
# The table has what validation chose for each set and kind of features. *Tied* is the number of settings that validation cannot tell
# from the best one, that one included. Where it is large, which one was chosen is chance.

# %%
study.table()

# %% [markdown]
# ## What it says
#
# {result}`sae_against_baselines.sentences.hidden` {result}`sae_against_baselines.sentences.tfidf`
#
# *Is it so on each set?* {result}`sae_against_baselines.sentences.losses` {result}`sae_against_baselines.sentences.leans_on`
# {result}`sae_against_baselines.sentences.ceiling`
#
# *Does the classifier matter?* {result}`sae_against_baselines.sentences.linear` A shallow tree can combine two latents, which a linear
# probe cannot. Here both were tried on every pooling of layer {result}`sae_against_baselines.classifiers.layer`, nothing binarised.
# {result}`sae_against_baselines.sentences.classifiers` (The paper's result files have linear
# probes ahead of trees on SAE features by {published}`mosaic.trees.difference`, and with trees SAE features ahead of hidden
# states by {published}`mosaic.trees.pairs.difference`.)
#
# *Does it hold in new words?* {result}`sae_against_baselines.sentences.new_words`
#
# *And for labels the model was never told?* {result}`sae_against_baselines.sentences.never_told`
#
# ## What the paper said
#
# The paper also counts how often SAE features are ahead. A *pair* is one SAE setting on one set against hidden states, linear probes
# only. Here every pooling of the profile counts, where the paper has sums and top-n counts, and a tie is not ahead.
# {result}`sae_against_baselines.sentences.pairs` {result}`sae_against_baselines.sentences.pairs_as_published`
#
# ## Controls: has anything been learned?
#
# A good score does not show that the SAE learned anything: the model that it reads has learned a lot already. So take learning away, one
# part at a time. These are two {term}`controls <control>` that the published comparison lacks:
#
# - {term}`random dictionaries <random dictionary>`: SAEs whose directions were drawn by chance, of the same width, with the same mean
#   number of active latents per token as the trained SAE;
# - the {term}`same language model with random weights <random language model>`, before any training.
#
# What they reach is owed to sparse random directions in the model's vectors, and to the words themselves.
#
# All have one budget. They, the trained SAE and the hidden states beside them read layer
# {result}`sae_against_baselines.equal_budget.layer` at width {result}`sae_against_baselines.equal_budget.width`, with every pooling, pooling
# and $C$ chosen on validation, linear probes, nothing binarised. The range in the table is over dictionaries, or over the SAE's seeds (its
# random starts) where there are several.

# %%
study.controls_table()

# %% [markdown]
# *What did training the SAE add?* {result}`sae_against_baselines.sentences.learned`
# {result}`sae_against_baselines.sentences.learned_new_words`
#
# *And with a tree?* {result}`sae_against_baselines.sentences.learned_with_tree`
# {result}`sae_against_baselines.sentences.learned_with_tree_new_words` {result}`sae_against_baselines.sentences.learned_never_told`
#
# *The means behind these differences,* over the sets: trained SAE {result}`sae_against_baselines.equal_budget.mean.trained SAE`, random
# dictionaries {result}`sae_against_baselines.equal_budget.mean.random dictionary`, hidden states
# {result}`sae_against_baselines.equal_budget.mean.hidden states`, the random language model's hidden states
# {result}`sae_against_baselines.equal_budget.mean.random language model`. With a tree to choose from as well: trained SAE
# {result}`sae_against_baselines.equal_budget.with_tree.mean.trained SAE`, random dictionaries
# {result}`sae_against_baselines.equal_budget.with_tree.mean.random dictionary`, hidden states
# {result}`sae_against_baselines.equal_budget.with_tree.mean.hidden states`.
#
# *What did training the language model add?* Hidden states minus those of the random language model:
# {result}`sae_against_baselines.equal_budget.hidden_minus_untrained.difference`
# (95 % {result}`sae_against_baselines.equal_budget.hidden_minus_untrained.interval`, one random model).
#
# {result}`sae_against_baselines.sentences.all_seeds`
#
# ## What could be wrong: was every kind of features given its due?
#
# A kind of features that was tuned with less care would lose for that reason alone. The table has the settings tried on each set, the
# poolings among them. It also has how often the chosen $C$ is an end of its list (a better one may lie beyond), and how often a fit ended
# before it was solved. {result}`sae_against_baselines.sentences.edges` For a baseline whose end of the list is often chosen, a longer list might
# have scored higher: what SAE features lead it by is then at most what stands here.

# %%
study.effort_table()

# %% [markdown]
# ## How few latents suffice?
#
# If a handful of latents did as well as all, one could read what the classifier looks at. Here the setting that validation ranks first among
# linear ones reads only the $k$ latents whose class means differ most {cite}`kantamneni2025`, with $C$ chosen anew for every $k$.
#
# Few enough is the smallest $k$ that validation cannot tell from all latents (their difference is within its *standard error*, the usual
# size of its chance part). It is chosen there and not read off the curve below, of which some point reaches any bound by luck.

# %%
study.k_sparse_curves()

# %% [markdown]
# :::{div} caption
# One panel is a data set; a mark is the test score of a probe on the *k* latents alone, its band the 95 % interval over test texts.
# The dashed line is what all latents reach, the large mark the *k* that validation chose. Look how early the line meets the dashed
# one.
# :::
#
# ### Move *k*
#
# Choose a set and move the slider: *k* doubles at each step, and the latents that come in are listed below the figure. Where the
# model's factors are known, a latent is named after the one it tracks best; in brackets, how well (AUROC). Do the first few mean
# what the set asks for?

# %%
study.few_slider()

# %% [markdown]
# The sizes that validation chose, and what they cost:

# %%
study.few_table()

# %% [markdown]
# {result}`sae_against_baselines.sentences.few` {result}`sae_against_baselines.sentences.fewer_is_better`
# {result}`sae_against_baselines.sentences.fewer_is_better_new`
#
# ## What the probes look at
#
# A linear probe can be opened. Opened here is the linear setting that validation ranks first on each set: where the table of settings has
# a tree, it is another than the chosen one. Here are its five largest weights, and for each latent the training text on which it is most
# active. A latent's name is its layer, its SAE's width and its number. A minus before a class means that its activity speaks against it.
# Where the model's {term}`factors <factor>` are known, a latent is named after the one it tracks best. Texts are shown
# as published; some sets hold offensive language, which they exist to detect.

# %%
study.latents_table()

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: does the mean hang on one set?
# :class: exercise
# `study.per_set[title][part]["hidden"]` is SAE features minus hidden states on one set, with `difference`, `low` and `high`. Leave out
# one set at a time and take the mean of the others, on each set's first part. Is there a set without which the answer changes its sign?
# :::

# %% tags=["solution"]
import pandas as pd

first = {title: next(iter(parts.values())) for title, parts in study.per_set.items()}
difference = pd.Series({title: part["hidden"].difference for title, part in first.items() if "hidden" in part})
left_out = (difference.sum() - difference) / (len(difference) - 1)
pd.DataFrame({"difference on this set": difference, "mean of the others": left_out}).sort_values("mean of the others").round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: what did training the SAE buy?
# :class: exercise
# `study.controls` has one dictionary for each set and control: the trained SAE, random dictionaries, hidden states, an untrained model.
# Make a table of their macro-F1 on each set's first part, and average it. What would you have concluded without the random dictionary?
# :::

# %% tags=["solution"]
scores = {(row["set"], row["control"]): next(iter(row["parts"].values()))["macro_f1"] for row in study.controls}
table = pd.Series(scores).unstack()
pd.concat([table, table.mean().rename("mean").to_frame().T]).round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} Why is a random dictionary a fair control for a trained SAE?
# It reads the same residual stream, has as many latents and lets as many of them fire. It lacks only what was learned. What it reaches
# is owed to the language model and to sparse random directions.
# :::
#
# :::{dropdown} A bag of words scores high on a set. What does that say of the set?
# Single words give much of the label away. A high score of other features there says little of what they understand; a test in new words
# says more.
# :::
#
# :::{dropdown} SAE features and hidden states "cannot be told apart". Are they equally good?
# That was not shown either. Read the interval: it holds every difference that fits the data. To claim that they are equal, one needs an
# interval so narrow that no difference in it would matter.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# A headline needs its controls: equal poolings, a bag of words, a random dictionary, new words, an interval over sets.
# {result}`sae_against_baselines.sentences.answer` {result}`sae_against_baselines.sentences.learned`
# :::

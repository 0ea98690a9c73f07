# needs: languages
# %% [markdown]
# # Which languages does a probe read?
#
# **The question.** A classifier learned from English messages. Does it work in Spanish, German, Russian or Chinese?
#
# **Why ask?** Labels are often there in one language only. A forum that has ten thousand labelled English messages may have none in
# Chinese. If the model keeps *insult* in the same place for all languages, the English classifier can be used as it is. If not, somebody
# has to label again, or translate. The paper asks this of SAE features {cite}`gallifant2025`.
#
# **The answer.** {result}`languages.sentences.abroad` For linear probes: {result}`languages.sentences.viable`
# {result}`languages.sentences.over_choices`
#
# :::{admonition} Before you read
# :class: before
# You know {term}`macro-F1` and chance, and the {term}`controls <control>` of [chapter 9](09_sae_against_baselines). About 25 minutes.
# :::
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["remove-cell"]
from mosaic.reporting import plots
from mosaic.studies import languages

plots.style()

# %%
study = languages.run(profile, device=device)
study.record();

# %% [markdown]
# ## Trained on English
#
# A {term}`probe` is trained and tuned on English alone, then tested in every language. There are *linear* probes on SAE features and
# {term}`hidden states`, {term}`trees <shallow tree>` on SAE features, words ({term}`TF-IDF`), and a {term}`random dictionary`.
#
# Where is chance? Where no word is shared, a {term}`bag of words` can do little more than toss a coin, whose macro-F1 is one over the number
# of classes. In the miniature the other languages share no words with English but people's names and some punctuation.
#
# There, toxicity and sentiment are {term}`told in training <told, never told>`: the corpus writes them after messages in every language,
# so the model learned to predict them at the end of each. Agreement (do the speaker and the one quoted judge alike?) is *never told*. It
# stands beside. {term}`Familiar words <familiar words, new words>` decide.
#
# ::::{admonition} Predict before you look
# :class: predict
# A probe learned from English messages alone. The other languages share no words with English here. Will it be above chance there? Will
# SAE features carry over better or worse than hidden states?
#
# :::{dropdown} What came out
# {result}`languages.sentences.viable` {result}`languages.sentences.hidden`
# :::
# ::::

# %%
study.figure()

# %% [markdown]
# :::{div} caption
# One panel is one set of messages, one line one kind of probe, trained on English. Follow a line from *en*, its home, to the right: does it
# keep its height abroad, or fall as far as TF-IDF, which finds few words or pieces of words there that it knows? Dashed: chance. Bands
# are 95 % intervals.
# :::
#
# ## How it was measured
#
# - **Equal.** SAE features and hidden states get every {term}`pooling` of the profile, the last token among them, every layer and
#   one list of values of the {term}`regularisation strength` $C$. SAEs are of one {term}`width` and nothing is binarised, so both kinds have
#   equally many settings. All is chosen on {term}`validation folds <validation fold>` of the training set.
# - **Languages alike.** Every language has as many training texts. Texts that say the same in two languages are one group, and no group is
#   both trained on and tested on.
# - **Each kind apart.** Linear probes and trees on SAE features, linear probes and trees on hidden states, words and the
#   majority class are chosen and shown each by itself.
# - **Controls.** Random dictionaries of the width and sparsity of the SAE, at the layer that was chosen for it, with
#   every pooling; and a {term}`language model with random weights <random language model>`.
# - **95 % {term}`intervals <interval>`** over messages, and over random dictionaries.
#
# The table has means over the languages that are not English. The miniature's messages stand there once more in new words, which no
# training text of the set has (the language model knows them: its own corpus has all synonyms). {term}`Native <abroad, native>` probes are
# trained on each language itself, on as many texts; they read the layer that was chosen in English, with every pooling.

# %%
study.table()

# %% [markdown]
# Linear probes on SAE features against the others trained on English (macro-F1, in familiar words):
#
# - {result}`languages.sentences.hidden`
# - {result}`languages.sentences.tree`
# - {result}`languages.sentences.random_dictionary`
# - {result}`languages.sentences.random_language_model`
# - {result}`languages.sentences.tfidf`
#
# And trees? {result}`languages.sentences.trees`
#
# The label never told: {result}`languages.sentences.never_told` {result}`languages.sentences.collapse_never_told` A probe that says one
# class to all scores below a toss, however well it orders the texts.
#
# Trees there: {result}`languages.sentences.tree_never_told` {result}`languages.sentences.trees_never_told`
#
# ## Is training on the language itself better?
#
# A probe trained on English is held against one trained on the language itself (*natively*), and against a third way that is explained
# below.

# %%
study.native_figure()

# %% [markdown]
# :::{div} caption
# Dots: trained on English; squares: on the language itself; both are means over the languages that are not English, with 95 % intervals.
# Triangles: trained on English, but reading translations; in the miniature that is simply the score at home, in English, since the
# translation is exact. See how far the dot of a colour lies from its square and its triangle.
# :::
#
# For SAE features the sentence at the top answers. {result}`languages.sentences.hidden_native`
#
# ## Or is it better to translate?
#
# A third way leaves the probe as it is and brings the texts to it: the probe trained on English reads them translated to English. The same messages are labelled in all three, so each difference is taken message by message; the
# intervals are over messages and sets.
#
# *What could be wrong?* In the miniature and in sib200 each message is there in every language. So the English version of a message stands
# for its translation, and is better than any machine's: what a machine's would lose is not in these numbers. In the miniature the score
# in translation is therefore one number for all languages, the English probe's on English test texts. Where messages are not
# there in every language, a profile may name a set of translations.
#
# *What the paper said.* In its result files, probes trained on toxicity's translations are level with native ones: native minus translated is
# {published}`mosaic.translated.difference`.

# %%
study.translated_table()

# %% [markdown]
# - {result}`languages.sentences.translated_sae`
# - {result}`languages.sentences.translated_hidden`
#
# On the label never told:
#
# - {result}`languages.sentences.translated_sae_never_told`
# - {result}`languages.sentences.translated_hidden_never_told`
#
# ## Every language by itself, and every pair
#
# Are SAE features ahead of hidden states in every language? Now each probe is trained and tested in one language. The paper has SAE features
# ahead in all five on toxicity (linear probes on summed SAE features of layer 5 against the last token's hidden states); here both choose
# among every pooling.

# %%
study.own_figure()

# %% [markdown]
# :::{div} caption
# One panel is one set; each probe is trained and tested in the language below it. Which line is on top, and is it so in every language?
# Hollow grey marks are the paper's values, from its own model, toxic texts and tweets: where both kinds are published,
# compare their order, not their height.
# :::
#
# {result}`languages.sentences.on_themselves`
#
# And from every language to every other, not from English alone? Each probe chose its pooling and $C$ on its own validation folds.

# %%
study.matrix_figure()

# %% [markdown]
# :::{div} caption
# Each row is a language trained on, each column one tested on, so that the diagonal is at home and all else abroad. Look for rows or
# columns that lose their height off the diagonal, and whether they do so on both sides: left SAE features, right hidden states.
# :::
#
# {result}`languages.sentences.every_pair`
#
# ## Do probes of two languages lean on the same latents?
#
# Take the twenty {term}`latents <latent>` with the largest weights of a language's probe. The paper counts how many of them English's probe has
# as well: a share between {published}`mosaic.languages.overlap.low` and {published}`mosaic.languages.overlap.high`.
#
# Is that many? Two things have to stand beside it. By chance, some would be shared anyway: two random choices among the latents that are
# active in English. And a probe's latents depend on its texts, so that even two English probes differ. Each probe is
# therefore fitted on ten random halves of the messages: two languages on the same half, and English on both halves.

# %%
study.overlap_figure()

# %% [markdown]
# :::{div} caption
# Dots: of the latents that English's probe leans on most, the share that the probe of that language leans on too. Squares, for
# comparison: two English probes on different halves. Dashed: chance. To which of the two are the dots nearer? Bands hold 95 % of the ten
# halves.
# :::
#
# {result}`languages.sentences.overlap`
#
# ## Why do some probes fall abroad?
#
# Above, validation chose one pooling in English. Here every pooling is followed abroad, at the layer that English
# validation chose for it. Settings that are level at home can lie far apart abroad, and validation at home need not
# pick the best.

# %%
study.poolings_figure()

# %% [markdown]
# :::{div} caption
# One panel is one set. Solid lines are tested in English; dashed ones of the same colour abroad, the mean over the other languages. Look
# for poolings that are level in English and far apart abroad.
# :::
#
# What goes wrong with those that fall? A linear probe adds up weighted columns, adds an {term}`intercept`, and says yes above zero. Abroad
# all texts may have moved together, like a thermometer that always reads two degrees too much. Then their order is still right, and only
# the line between yes and no is in the wrong place. Or the order is lost. To tell, one thing is repaired at a time:
#
# - *mean*: each language's texts are moved so that their mean is English's. That needs texts but no labels, and comes to
#   another intercept for each language;
# - *intercept*: fitted again on labelled texts of the language, the weights as they are;
# - *directions*: what lies between the languages' means is taken out of all texts, and the probe is trained again on English;
# - *mean and scale*: each column is moved and spread as in English.
#
# {term}`AUROC` asks for the order alone, which no intercept can spoil. It and the share of texts that get the most frequent answer
# are of the probe as it is.

# %%
study.diagnosis_table()

# %% [markdown]
# What the table comes to, for the pooling that was chosen in English and for the others:

# %%
study.explanations()

# %% [markdown]
# How far does the choice made in English carry? {result}`languages.sentences.spread_sae`
#
# Where settings are equally good at home, which one was chosen is chance. And where one is best at home, it need not be the best
# abroad. All sets, for both kinds of features:

# %%
study.choices()

# %% [markdown]
# ## Try it yourself
#
# The exercises use `study`, which holds all that this chapter computed: no model runs again.

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1: the choice at home, the best abroad
# :class: exercise
# `study.summary()["sets"][title]["diagnosis"]["sae"]` has, for each pooling, the score at `home` and `abroad`. Rank the poolings by both.
# Would the best at home have been the best abroad?
# :::

# %% tags=["solution"]
import pandas as pd

sets = study.summary()["sets"]
rows = {
    (title, pooling): {"home": found["home"], "abroad": found["abroad"]}
    for title, scores in sets.items()
    for pooling, found in scores["diagnosis"]["sae"].items()
}
table = pd.DataFrame(rows).T.rename_axis(["set", "pooling"])
table.assign(**{"rank at home": table.groupby("set")["home"].rank(ascending=False), "rank abroad": table.groupby("set")["abroad"].rank(ascending=False)}).round(3)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2: ranked well, cut badly
# :class: exercise
# The same entries have `auroc` (abroad), which no intercept can spoil, beside macro-F1. Which poolings rank the texts of other languages
# well and still score poorly? What would mend them?
# :::

# %% tags=["solution"]
ranked = pd.Series({key: sets[key[0]]["diagnosis"]["sae"][key[1]]["auroc"] for key in rows})
table.assign(auroc=ranked).query("auroc > 0.9").sort_values("abroad").round(3)

# %% [markdown]
# ## Check yourself
#
# :::{dropdown} A probe scores far below chance in another language. What has probably happened?
# The order of the texts may even be right, and the threshold wrong: all texts of that language lie on one side of it. Scores below chance
# come from saying one class, or from saying each the wrong way round.
# :::
#
# :::{dropdown} Which repair needs labels: moving the mean, or fitting the intercept again?
# The intercept. Moving each language's mean to that of English needs texts of the language, but no labels.
# :::
#
# :::{dropdown} Why may the same message not be trained on in one language and tested in another?
# The probe could know the message, and its label, rather than the class. Texts that say the same are one group.
# :::
#
# :::{admonition} To take away
# :class: takeaway
# Settings that are level at home can lie far apart abroad, and validation at home need not pick the best. Look at the order of the texts before you blame the
# features. {result}`languages.sentences.why_sae`
# :::

# needs: truth
# %% [markdown]
# # The miniature world
#
# Gemma and its SAEs need a network, a licence and a GPU; and nobody knows what is in them. The models of this
# profile are small, were trained from nothing on a corpus that this project generates, and everything the corpus
# says is known, because it was drawn: language, topic, who is spoken of, the polarity of each word, negation,
# intensity, whose words they are, what is asked for and by whom.

# %% tags=["parameters"]
profile = "mini"

# %% tags=["hide-input"]
import json

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from mosaic.miniature import card
from mosaic.miniature.build import WEIGHTS
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.world import grammar, sets
from mosaic.world.corpus import document
from mosaic.world.lexicon import LANGUAGES, concepts

plots.style()
chosen = load_profile(profile)

# %% [markdown]
# ## Documents
#
# A message, then the log of a moderator or an assistant in codes that all languages share. The log's first code
# is a *composition*: "hide" means that the reader is called something bad, in the speaker's own words. A model
# that predicts it must have put the factors together by the end of the message.

# %% tags=["hide-input"]
documents = [document(0, i) for i in range(40)]
HTML(
    tables.table(
        [{"kind": d.kind, "language": d.language, "message": d.text[: d.message], "log": d.text[d.message :].strip()} for d in documents[:14]],
        {"kind": "kind", "language": "language", "message": "message", "log": "log"},
    )
)

# %% [markdown]
# Every word carries what it tells:

# %% tags=["hide-input"]
shown = next(
    d for i in range(1000) for d in [document(7, i)]
    if d.kind == "message" and d.language == "en" and d.factors["toxicity"] == "toxic" and "quotation" in d.factors
)
words = [(shown.text[a:b], {f"{key} {value}" for key, value in factors}) for a, b, factors in shown.spans if a < shown.message]
told = list(dict.fromkeys(f for _, factors in words for f in sorted(factors) if not f.startswith("concept")))
HTML(tables.token_strip([w for w, _ in words], {f: np.array([float(f in factors) for _, factors in words]) for f in told}))

# %% [markdown]
# ## One message in five languages
#
# The labelled sets toxicity and sentiment say the same thing five times.

# %% tags=["hide-input"]
HTML(
    tables.table(
        [{"language": language, "text": r.text, "label": r.truth} for language in LANGUAGES for r in sets.labelled("toxicity", language)["train"][:2]],
        {"language": "language", "text": "text", "label": "label"},
    )
)

# %% [markdown]
# ## Labels that no cue gives away
#
# Each message makes two statements, and the label hangs on what binds to what. The table shows the single factor or
# pair of factors of the whole message that tells the label best (the share of messages it gets right), and the
# macro-F1 of a reader who knows every factor: three labels in a hundred are wrong, so nobody reaches 1. In the test
# texts half of the words that matter are synonyms no training text has.

# %% tags=["hide-input"]
overview = []
for name, kind in sets.SETS.items():
    rows = sets.labelled(name)
    labels = [r.label for part in rows.values() for r in part]
    cue, accuracy = sets.cues(name, 2000)[0]
    largest = max(labels.count(label) for label in set(labels)) / len(labels)
    overview.append(
        {"set": name, "what it asks": kind.task, "largest class": largest, "best cue": cue, "its accuracy": accuracy,
         "ceiling": card.ceiling(name)}
    )
HTML(tables.table(overview, {key: key for key in overview[0] if key != "what it asks"}))

# %% [markdown]
# The set *behaviour* is of another kind: its labels were made by mini-large-it, which answered every question the corpus
# can ask, some rightly.
#
# ## Training
#
# Every choice the generator makes adds its $-\log p$, so the entropy of the corpus is known: the dashed line, in nats a
# token on documents nobody was trained on. The first quarter of the tokens has documents of one statement only, which is
# why the loss on whole documents stands still at first.

# %% tags=["hide-input"]
curves = {name: json.loads((WEIGHTS / name / "curve.json").read_text())["curve"] for name in ("mini-small", "mini-large")}
figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
for (name, curve), colour in zip(curves.items(), plots.COLOURS.values()):
    steps = [row["step"] for row in curve]
    axes[0].plot(steps, [row["held_out_loss"] for row in curve], color=colour, marker=".", label=name)
    for style, code in (("-", "toxicity"), ("--", "mood"), (":", "decision")):
        axes[1].plot(steps, [row[f"accuracy {code}"] for row in curve], style, color=colour, label=f"{name}, {code}")
axes[0].axhline(curves["mini-small"][-1]["entropy"], color=plots.INK, linestyle="--", label="entropy of the corpus")
axes[0].set(xlabel="step", ylabel="nats a token (held out)")
axes[1].set(xlabel="step", ylabel="first code right (held out)")
for ax in axes:
    ax.legend(fontsize="x-small")

# %% [markdown]
# ## The dictionaries
#
# Measured on documents that neither a model nor an SAE was trained on: L0, the fraction of variance unexplained (FVU), the
# share of dead latents, and the loss recovered (how much of the loss that is lost when the block's output is set to zero
# comes back with the SAE's reconstruction in its place). "saes-large on mini-large-it" are mini-large's SAEs on the tuned model.

# %% tags=["hide-input"]
figures = json.loads((WEIGHTS / "card.json").read_text())
saes = [{"SAE": name, **row} for name, row in figures.items() if name.startswith("saes")]
HTML(
    tables.table(
        saes,
        {"SAE": "SAE", "l0": "L0", "fvu": "FVU", "dead": "dead", "recovered": "recovered"},
    )
)

# %% tags=["hide-input"]
results.record(
    chosen.name,
    "miniature",
    {
        "sets": {row["set"]: {key: row[key] for key in ("best cue", "its accuracy", "ceiling", "largest class")} for row in overview},
        "models": {name: row for name, row in figures.items() if name.startswith("mini")},
        "n_concepts": len(concepts()),
        "n_patterns": len(grammar.TEMPLATES),
        "worst_fvu": max(row["fvu"] for row in saes if " on " not in row["SAE"]),
        "worst_cue": max(row["its accuracy"] for row in overview),
    },
);

# %% [markdown]
# ## What it says
#
# mini-small comes within {result}`miniature.models.mini-small.gap` nats a token of the corpus's entropy
# ({result}`miniature.models.mini-small.entropy`), mini-large within {result}`miniature.models.mini-large.gap`; mini-small says
# "hide" or "keep" rightly in {result}`miniature.models.mini-small.accuracy toxicity` of the messages that begin their log
# so. The worst SAE leaves {result}`miniature.worst_fvu` of the variance unexplained. No factor or pair of factors tells
# any label with more than {result}`miniature.worst_cue`.
#
# What a miniature cannot show: how Gemma behaves. It has {result}`miniature.n_concepts` concepts and
# {result}`miniature.n_patterns` sentence patterns, and its factors are independent, as they never are in life. It shows
# whether a method finds what is there.

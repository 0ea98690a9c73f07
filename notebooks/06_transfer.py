# needs: truth
# %% [markdown]
# # Transfer: to other languages, another model, and images
#
# Three questions of the paper {cite}`gallifant2025`, asked of the miniature: does a probe trained on English
# features read other languages; do a small model's features tell whether a larger, tuned model will answer
# right; do SAEs trained on text say anything about images?

# %% tags=["parameters"]
profile = "mini"
poolings = ["sum", "mean", "max"]

# %% tags=["hide-input"]
import json

import numpy as np
from IPython.display import HTML

from mosaic.features.extract import Request
from mosaic.miniature.build import WEIGHTS
from mosaic.probing import comparison, examine, scores
from mosaic.probing.problem import make_problem
from mosaic.profiles.opening import load_model, load_saes
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.studies import image_problems, problems
from mosaic.texts import labelled
from mosaic.texts.sources import load_set

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)
encoders = load_saes(chosen, lm)
request = Request(encoders, tuple(chosen.layers), tuple(poolings))
FAMILIES = ["sae", "hidden", "tfidf", "majority"]

# %% [markdown]
# ## Across languages
#
# Trained and tuned on English alone; tested on the same messages in five languages. The other languages share no
# words with English but people's names and some punctuation, so a bag of words can do little more than toss a coin,
# whose macro-F1 is one over the number of classes.

# %% tags=["hide-input"]
LANGUAGES = ["en", "es", "de", "ru", "zh"]
languages = {}
for name in ("toxicity", "sentiment"):
    train, _ = load_set(f"mini/{name}", "en")
    tests = [load_set(f"mini/{name}", language)[1] for language in LANGUAGES]
    problem = make_problem(train, labelled.concatenate(tests), lm, request, problems.CACHE)
    found = comparison.evaluate(problem, families=FAMILIES)
    spoken = problem.test.languages
    best = {family: comparison.selected(found, family) for family in FAMILIES}
    best["tree"] = next(r for r in found if (r.setting.features, r.setting.classifier) == ("sae", "tree"))
    languages[name] = {
        family: {
            "setting": result.row(),
            "by_language": {
                language: scores.score(problem.test.labels[spoken == language], result.predicted[spoken == language]).__dict__
                for language in LANGUAGES
            },
        }
        for family, result in best.items()
    }

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, (name, families) in zip(axes, languages.items()):
    series = {
        family: [(l, s["macro_f1"], s["low"], s["high"]) for l, s in entry["by_language"].items()]
        for family, entry in families.items()
    }
    plots.curves(series, "language of the test texts", "macro-F1 (test)" if ax is axes[0] else "", ax)
    ax.set_title(f"{name}, trained on English", fontsize="medium")
    ax.get_legend().remove()
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize="small");

# %% tags=["hide-input"]
def others(name, family):
    by = languages[name][family]["by_language"]
    return float(np.mean([by[language]["macro_f1"] for language in LANGUAGES[1:]]))


abroad = {name: {family: others(name, family) for family in [*FAMILIES, "tree"]} for name in languages}

# %% [markdown]
# Mean over the four other languages, toxicity: SAE features {result}`transfer.languages.toxicity.mean.sae`, hidden
# states {result}`transfer.languages.toxicity.mean.hidden`, TF-IDF {result}`transfer.languages.toxicity.mean.tfidf`,
# the majority class {result}`transfer.languages.toxicity.mean.majority`. Sentiment:
# {result}`transfer.languages.sentiment.mean.sae`, {result}`transfer.languages.sentiment.mean.hidden`,
# {result}`transfer.languages.sentiment.mean.tfidf`, {result}`transfer.languages.sentiment.mean.majority`. A shallow tree
# on SAE features, which asks for a few latents by name instead of weighing all of them, reaches
# {result}`transfer.languages.toxicity.mean.tree` and {result}`transfer.languages.sentiment.mean.tree`.
#
# ## From the small model to the large one's behaviour
#
# Every question the corpus can ask was put to mini-large-it, and whether it answers right is the label. It knows the
# people that its corpus speaks of often. Can mini-small's features tell? No person of the test questions occurs in a
# training question, so that names cannot be learned by heart.

# %% tags=["hide-input"]
train, test = load_set("mini/behaviour", "en")
problem = make_problem(train, test, lm, request, problems.CACHE)
found = comparison.evaluate(problem, families=FAMILIES)
best = {family: comparison.selected(found, family) for family in FAMILIES}
large = load_profile("mini-large-it")
large_lm = load_model(large)
large_request = Request(load_saes(large, large_lm), tuple(large.layers), tuple(poolings))
own = make_problem(train, test, large_lm, large_request, problems.CACHE)
own_found = comparison.evaluate(own, families=["sae", "hidden"])
own_best = {family: comparison.selected(own_found, family) for family in ("sae", "hidden")}
behaviour = [{"set": "mini-small's view", **best[f].row()} for f in FAMILIES]
behaviour += [{"set": "mini-large-it's own", **own_best[f].row()} for f in own_best]
plots.intervals(behaviour);

# %% tags=["hide-input"]
def against(a, b):
    d = scores.compare(test.labels, a.predicted, b.predicted, test.groups)
    return {"difference": d.difference, "interval": [d.low, d.high], "p": d.p}


differences = {family: against(best["sae"], best[family]) for family in FAMILIES[1:]}
own_difference = against(best["sae"], own_best["sae"])

# %% [markdown]
# Macro-F1 of mini-small's SAE features {result}`transfer.behaviour.sae` against {result}`transfer.behaviour.majority`
# for the majority class (difference {result}`transfer.behaviour.against.majority.difference`, 95 %
# {result}`transfer.behaviour.against.majority.interval`) and {result}`transfer.behaviour.tfidf` for TF-IDF
# ({result}`transfer.behaviour.against.tfidf.difference`, {result}`transfer.behaviour.against.tfidf.interval`). With
# mini-large-it's own SAE features it is {result}`transfer.behaviour.own`: the small model's view minus that is
# {result}`transfer.behaviour.difference` ({result}`transfer.behaviour.interval`).
#
# ## Images through text SAEs
#
# mini-vision is a SigLIP tower and a projector in front of mini-small, trained together on captions as PaliGemma 2 is; the
# SAEs of mini-small's texts are applied, unchanged, to the residual stream at the image tokens. Labels: handwritten
# digits; shape and place of drawings. The layer is chosen on validation, as everything is.

# %% tags=["hide-input"]
from mosaic.miniature import vision

images = {name: vision.labelled_images(name)[1] for name in ("digits", "shapes")}
figure, axes = plt.subplots(2, 10, figsize=(7.2, 1.6))
for line, (pixels, _) in zip(axes, images.values()):
    for ax, image in zip(line, pixels):
        ax.imshow(image, interpolation="nearest")
        ax.axis("off")

# %% tags=["hide-input"]
FEW = 16
vision, few, sparse = {}, {}, {}
for name in ("digits", "shapes", "places"):
    problems = image_problems.image_problems(chosen, lm, name, ["mean", "max"])
    vision[name], few[name] = {}, {}
    for kind, (family, problem) in problems.items():
        result = comparison.selected(comparison.evaluate(problem, families=[family], binarize=False, trees=False), family)
        vision[name][kind] = result
        few[name][kind] = examine.k_sparse_at(problem, result, FEW)
        if name in images:
            sparse.setdefault(name, {})[kind] = examine.k_sparse_curve(problem, result, (2, 4, 8, 16, 32, 64, 128))
HTML(
    tables.table(
        [{"set": name, **{kind: r.score.macro_f1 for kind, r in by.items()}} for name, by in vision.items()],
        {"set": "set", **{kind: kind for kind in next(iter(vision.values()))}},
    )
)

# %% [markdown]
# And with few latents? The same probes on those whose class means differ most.

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
for ax, (name, kinds) in zip(axes, sparse.items()):
    series = {kind: [(p["k"], p["macro_f1"], p["low"], p["high"]) for p in curve] for kind, curve in kinds.items()}
    plots.curves(series, "latents kept", "macro-F1 (test)" if ax is axes[0] else "", ax)
    ax.set_title(name, fontsize="medium")
    ax.get_legend().remove()
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="small");

# %% tags=["hide-input"]
def gain(results_of, name, control):
    by = results_of[name]
    labels = np.array(vision.labelled_images(name)[1][1], dtype=object)
    d = scores.compare(labels, by["SAE"].predicted, by[control].predicted)
    return {"difference": d.difference, "interval": [d.low, d.high]}


unexplained = {name: image_problems.image_unexplained(chosen, lm, name) for name in images}
card = json.loads((WEIGHTS / "card.json").read_text())
unexplained["texts"] = card[f"saes-small/layer_{chosen.middle}_width_{chosen.width}_seed_0"]["fvu"]


def image_record(results_of, name):
    by = results_of[name]
    return {
        **{kind: {key: v for key, v in r.row().items() if key != "selected"} for kind, r in by.items()},
        "against": {kind: gain(results_of, name, kind) for kind in by if kind != "SAE"},
    }


results.record(
    chosen.name,
    "transfer",
    {
        "languages": {
            **{name: {"mean": abroad[name], "families": languages[name]} for name in languages},
            "above_majority": abroad["toxicity"]["sae"] - abroad["toxicity"]["majority"],
            # Two classes, tossed for: a macro-F1 of one half, which a bag of words reaches too.
            "above_chance": abroad["toxicity"]["sae"] - max(abroad["toxicity"]["majority"], 1 / len(load_set("mini/toxicity", "en")[0].classes)),
        },
        "behaviour": {
            **{family: best[family].score.macro_f1 for family in FAMILIES},
            "own": own_best["sae"].score.macro_f1,
            "own_hidden": own_best["hidden"].score.macro_f1,
            "against": differences,
            "difference": own_difference["difference"],
            "interval": own_difference["interval"],
            "correct": float(np.mean(test.labels == "correct")),
            "rows": behaviour,
        },
        "images": {name: image_record(vision, name) for name in vision},
        "images_unexplained": unexplained,
        "images_few": {"k": FEW, **{name: image_record(few, name) for name in few}},
    },
);

# %% [markdown]
# With all latents: digits {result}`transfer.images.digits.SAE.macro_f1` on SAE features,
# {result}`transfer.images.digits.random dictionary.macro_f1` on a random dictionary of equal sparsity (difference
# {result}`transfer.images.digits.against.random dictionary.difference`, 95 %
# {result}`transfer.images.digits.against.random dictionary.interval`) and
# {result}`transfer.images.digits.random language model.macro_f1` with an untrained language model behind the same tower
# ({result}`transfer.images.digits.against.random language model.difference`,
# {result}`transfer.images.digits.against.random language model.interval`). Shapes:
# {result}`transfer.images.shapes.SAE.macro_f1`, {result}`transfer.images.shapes.random dictionary.macro_f1`
# ({result}`transfer.images.shapes.against.random dictionary.difference`,
# {result}`transfer.images.shapes.against.random dictionary.interval`),
# {result}`transfer.images.shapes.random language model.macro_f1`
# ({result}`transfer.images.shapes.against.random language model.difference`,
# {result}`transfer.images.shapes.against.random language model.interval`).
#
# With {result}`transfer.images_few.k` latents: digits {result}`transfer.images_few.digits.SAE.macro_f1` against
# {result}`transfer.images_few.digits.random dictionary.macro_f1` on the random dictionary
# ({result}`transfer.images_few.digits.against.random dictionary.difference`,
# {result}`transfer.images_few.digits.against.random dictionary.interval`); shapes
# {result}`transfer.images_few.shapes.SAE.macro_f1` against
# {result}`transfer.images_few.shapes.random dictionary.macro_f1`
# ({result}`transfer.images_few.shapes.against.random dictionary.difference`,
# {result}`transfer.images_few.shapes.against.random dictionary.interval`).
#
# Where an SAE is no better than a random dictionary, one reason can be measured: at the middle layer its reconstruction
# leaves {result}`transfer.images_unexplained.digits` of the variance of the digits' image tokens unexplained, and
# {result}`transfer.images_unexplained.shapes` of the drawings', where on texts it leaves
# {result}`transfer.images_unexplained.texts`. Image tokens are not what it was trained on.

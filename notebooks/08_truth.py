# needs: truth
# %% [markdown]
# # The truth: which latents find which factor
#
# No real model can be asked what is in it. The miniature can: its corpus is drawn from factors (who is spoken
# of, with what words, negated or not, in whose voice), and every text carries them. So here, and only here, a
# latent can be held against what it is *supposed* to find.
#
# For latent $j$ and factor $c$, with $z_j$ the latent's largest activation in a text,
#
# $$
# \mathrm{AUROC}_{jc} = P\big(z_j(\text{with } c) > z_j(\text{without } c)\big) + \tfrac12 P(\text{equal}).
# $$
#
# The best latent for a factor is chosen on one half of the texts and scored on the other half: a wide
# dictionary would otherwise win by being searched longer.

# %% tags=["parameters"]
profile = "mini"

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
from IPython.display import HTML

from mosaic.interpretation import tracking
from mosaic.models.opening import open_model
from mosaic.profiles.opening import load_model, load_saes
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.saes import loading
from mosaic.studies import problems

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)
rows, factors = tracking.texts()
encoders = load_saes(chosen, lm)
pooled = tracking.tables(rows, lm, encoders, problems.CACHE)
found = [f for table in pooled for f in tracking.find(table, rows, factors)]

# %% [markdown]
# ## A map of factors and layers
#
# The AUROC of the best latent of each layer's SAE of width {result}`truth.width`, over texts in all five languages;
# factors are sorted by the best they reach anywhere.

# %% tags=["hide-input"]
overall = [f for f in found if f.language == "all" and f.width == chosen.width]
best = {name: max((f for f in overall if f.factor == name), key=lambda f: f.auroc) for name in {f.factor for f in overall}}
order = sorted(best, key=lambda name: (-best[name].auroc, name))
grid = np.array([[next(f.auroc for f in overall if (f.factor, f.layer) == (name, layer)) for layer in chosen.layers] for name in order])
plots.heatmap(grid, order, [f"layer {layer}" for layer in chosen.layers], "AUROC of the best latent", tall=True);

# %% [markdown]
# ## Which factors no latent finds
#
# A factor counts as found when a latent of some layer and width reaches an AUROC of 0.9 on the half it was not
# chosen on. Those that are not found, with the best there is:

# %% tags=["hide-input"]
anywhere = {name: max((f for f in found if f.factor == name and f.language == "all"), key=lambda f: f.auroc) for name in order}
missed = [f for f in anywhere.values() if f.auroc < 0.9]
HTML(
    tables.table(
        [{**f.__dict__, "latent": f"layer {f.layer}, {f.width}, {f.latent}"} for f in sorted(missed, key=lambda f: f.auroc)],
        {"factor": "factor", "latent": "best latent", "auroc": "AUROC", "average_precision": "average precision", "share": "share of texts"},
    )
)

# %% [markdown]
# Compositions are the hard ones: that a text insults its reader hangs on who is meant, on the word's polarity, on a
# negation and on whose words they are. The first layer's best latent for it reaches {result}`truth.toxicity.first`,
# the middle layer's {result}`truth.toxicity.middle`.

# %% [markdown]
# ## In which languages?
#
# The latent chosen within one language, for the factors every language shares: the same width, the layer in the
# middle.

# %% tags=["hide-input"]
languages = [language for language in dict.fromkeys(f.language for f in found) if language != "all"]
middle = [f for f in found if f.layer == chosen.middle and f.width == chosen.width]
shared = [name for name in order if not name.startswith("language")]
by = {(f.factor, f.language): f for f in middle}
shared = [name for name in shared if all((name, language) in by for language in languages)][:24]
plots.heatmap(
    np.array([[by[name, language].auroc for language in languages] for name in shared]),
    shared, languages, "AUROC of the best latent", tall=True,
);

# %% [markdown]
# Is it the *same* latent? Of the factors above, the middle layer's best latent is one and the same in all five
# languages for {result}`truth.same_latent`; in English and at least one other language for
# {result}`truth.same_as_english`.

# %% tags=["hide-input"]
same = [name for name in shared if len({by[name, language].latent for language in languages}) == 1]
with_english = [name for name in shared if any(by[name, "en"].latent == by[name, x].latent for x in languages if x != "en")]

# %% [markdown]
# ## Width
#
# The middle layer's dictionaries: how many factors each finds (AUROC of at least 0.9).

# %% tags=["hide-input"]
def share_found(width):
    return float(np.mean([f.auroc >= 0.9 for f in found if f.language == "all" and (f.layer, f.width) == (chosen.middle, width)]))


def mean_auroc(width):
    return float(np.mean([f.auroc for f in found if f.language == "all" and (f.layer, f.width) == (chosen.middle, width)]))


widths = {w: {"found": share_found(w), "auroc": mean_auroc(w)} for w in chosen.widths}
HTML(tables.table([{"width": w, **v} for w, v in widths.items()], {"width": "width", "found": "share of factors found", "auroc": "mean AUROC"}))

# %% [markdown]
# ## Nothing learned, nothing found?
#
# The same search in a *random dictionary* of the same width and sparsity on the trained model, and on a model whose
# weights are random: what words alone, projected at random, give away.

# %% tags=["hide-input"]
(middle_encoder,) = load_saes(chosen, lm, [chosen.middle], [chosen.width])
some = [row.text for row in rows[::40]]


def activations(model):
    import torch

    tokens = model.tokenize(some)
    return torch.cat([model.residuals([i], [chosen.middle])[chosen.middle][0][~s] for i, s in zip(tokens.ids, tokens.special)])


untrained = open_model(replace(chosen.model, random_weights=0), lm.device)
controls = {}
for name, model in (("random dictionary", lm), ("untrained language model", untrained)):
    (table,) = tracking.tables(rows, model, [loading.random_like(middle_encoder, activations(model))], problems.CACHE)
    controls[name] = {f.factor: f.auroc for f in tracking.find(table, rows, factors, by_language=False)}
trained = {f.factor: f.auroc for f in middle if f.language == "all"}
comparison = [
    {"features": name, "found": float(np.mean([v >= 0.9 for v in areas.values()])), "auroc": float(np.mean(list(areas.values()))),
     "toxicity": areas["message: toxicity toxic"]}
    for name, areas in {"trained SAE": trained, **controls}.items()
]
HTML(tables.table(comparison, {"features": "features", "found": "share of factors found", "auroc": "mean AUROC", "toxicity": "toxicity"}))

# %% tags=["hide-input"]
toxicity = {f.layer: f.auroc for f in overall if f.factor == "message: toxicity toxic"}
results.record(
    chosen.name,
    "truth",
    {
        "width": chosen.width,
        "n_texts": len(rows),
        "n_factors": len(anywhere),
        "n_found": len(anywhere) - len(missed),
        "missed": {f.factor: f.auroc for f in missed},
        "missed_names": ", ".join(f.factor for f in missed) or "none",
        "found": [f.__dict__ for f in found if f.language == "all"],
        "toxicity": {"first": toxicity[chosen.layers[0]], "middle": toxicity[chosen.middle], "late": toxicity[chosen.layers[-1]],
                     "untrained": controls["untrained language model"]["message: toxicity toxic"],
                     "random_dictionary": controls["random dictionary"]["message: toxicity toxic"]},
        "same_latent": f"{len(same)} of {len(shared)}",
        "same_as_english": f"{len(with_english)} of {len(shared)}",
        "widths": widths,
        "controls": {row["features"]: {"found": row["found"], "auroc": row["auroc"]} for row in comparison},
    },
);

# %% [markdown]
# ## What it says
#
# Of {result}`truth.n_factors` factors, {result}`truth.n_found` have a latent that finds them at an AUROC of at least
# 0.9. Not found: {result}`truth.missed_names`. For toxicity the best single latent goes from
# {result}`truth.toxicity.first` at the first of the layers to {result}`truth.toxicity.middle` at the middle one; a
# random dictionary on the same middle layer reaches {result}`truth.toxicity.random_dictionary`, an untrained model
# {result}`truth.toxicity.untrained`.

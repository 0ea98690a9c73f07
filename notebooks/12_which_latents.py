# needs: seeds
# %% [markdown]
# # Which latents are shared?
#
# Three questions to each latent of {result}`which_latents.n_seeds` SAEs: how often does it fire, can its firing be foretold
# from the tokens around it, and (in a world where that is known) does it track something true?

# %% tags=["parameters"]
profile = "mini"
n_texts = 6000

# %% tags=["hide-input"]
import numpy as np
from IPython.display import HTML
from scipy.stats import spearmanr

from mosaic.agreement import stability
from mosaic.interpretation import detection
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.saes import sweep
from mosaic.studies import problems
from mosaic.studies import seeds as seed_saes

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)
base = sweep.settings(seed_saes.seed_rows(chosen))[0]
few = base.rows[:3]
seeds = seed_saes.seeds_of(chosen, base.rows)
S = len(base.rows)
member = [seeds.membership(i) for i in range(S)]


def nearest_partner(i):
    """Mean, over the other SAEs, of the smaller of a latent's two matched cosines."""
    values = []
    for j in range(S):
        if i < j:
            pair = seeds.pairs[i, j]
            values.append(np.where(pair.equal, np.fmin(pair.decoder.cosine, pair.encoder.cosine), pair.decoder.cosine))
        elif j < i:
            pair = seeds.pairs[j, i]
            low = np.where(pair.equal, np.fmin(pair.decoder.cosine, pair.encoder.cosine), pair.decoder.cosine)
            back = np.full(len(seeds.dictionaries[i]), np.nan)
            back[pair.decoder.partner] = low
            values.append(back)
    return np.nanmean(values, axis=0)


# %% [markdown]
# ## How often does it fire?
#
# All latents of all seeds: how often each fires on held-out tokens against how well it is matched in the other SAEs. A
# single line would hide the shape, so the whole plane is drawn. The two papers disagree here: one finds that frequent
# latents are shared and, beside them, a cloud of frequent orphans {cite}`paulo2025`; the other that rarer always means
# less consistent {cite}`song2025`.

# %% tags=["hide-input"]
frequency = np.concatenate([d.frequency for d in seeds.dictionaries])
cosine = np.concatenate([nearest_partner(i) for i in range(S)])
membership = np.concatenate(member)
fires = frequency > 0
level = stability.match(seeds.dictionaries[0], stability.random_dictionary(seeds.dictionaries[1], 0)).pw_mcc
ax = plots.joint(np.log10(frequency[fires]), cosine[fires], "log10 of the share of tokens it fires on", "mean matched cosine in the other SAEs")
ax.axhline(level, color=plots.INK, linestyle="--")
ax.annotate("chance", (np.log10(frequency[fires]).min(), level), textcoords="offset points", xytext=(2, 4), color=plots.INK);

# %% tags=["hide-input"]
edges = np.quantile(frequency[fires], np.linspace(0, 1, 6))
bins = np.clip(np.searchsorted(edges, frequency[fires], side="right") - 1, 0, 4)
by_frequency = [float((membership[fires][bins == k] > 1).mean()) for k in range(5)]
steps = [(f"{edges[k]:.4f} to {edges[k + 1]:.4f}", by_frequency[k]) for k in range(5)]
HTML(tables.table([{"frequency": a, "shared": b} for a, b in steps], {"frequency": "share of tokens it fires on (fifths of the latents)", "shared": "in at least one other SAE"}))

# %% [markdown]
# ## Can it be foretold?
#
# An LLM would be asked to explain each latent and to say from the explanation where it fires {cite}`paulo2024`. Here the
# explanation is counted: the log odds of the token a latent fires on and of the two before it, learned on one half of the
# texts. Its score is the balanced accuracy on the other half (0.5 is chance). Latents that fire fewer than
# {result}`which_latents.least` times in either half are not scored; the same rule holds for all.

# %% tags=["hide-input"]
texts = seed_saes.held_out_texts(chosen, n_texts)
observed = detection.firings(texts, lm, seed_saes.seed_encoders(chosen, lm, few))
score = np.concatenate([detection.detection_scores(observed, codes) for codes in observed.codes])
control = np.concatenate([detection.detection_scores(observed, codes, shuffle=0) for codes in observed.codes])
scored_member = np.concatenate(member[: len(few)])
known = np.isfinite(score)


def by_membership(values):
    """(m, mean, 95 % by bootstrap over latents) of those in exactly m SAEs."""
    groups = {m: values[(scored_member == m) & np.isfinite(values)] for m in range(1, S + 1)}
    return [
        (str(m), float(v.mean()), *map(float, np.quantile(np.random.default_rng(m).choice(v, (1000, len(v))).mean(1), (0.025, 0.975))))
        for m, v in groups.items()
        if len(v)
    ]


by_member = by_membership(score)
ax = plots.bars(by_member, "balanced accuracy", f"in exactly so many of {S} SAEs")
ax.axhline(float(np.nanmean(control)), color=plots.INK, linestyle="--", label="another latent's explanation")
ax.set_ylim(0.45, 1)
ax.legend();

# %% [markdown]
# Published (32k SAE, nine seeds, an LLM's explanations): .648 for latents in one SAE only, .72 to .74 for every number from
# two on: a step, then flat.

# %% tags=["hide-input"]
orphan, shared = score[known & (scored_member == 1)], score[known & (scored_member > 1)]
generator = np.random.default_rng(0)
draws = [generator.choice(shared, len(shared)).mean() - generator.choice(orphan, len(orphan)).mean() for _ in range(2000)]
step = {"difference": float(shared.mean() - orphan.mean()), "interval": [float(x) for x in np.quantile(draws, (0.025, 0.975))],
        "orphan": float(orphan.mean()), "shared": float(shared.mean()), "n_orphan": len(orphan), "n_shared": len(shared),
        "not_scored": int((~known).sum()), "another_latent": float(np.nanmean(control))}

# %% [markdown]
# ## Does it track something true?
#
# Only in the miniature is it known what its texts are about. For each latent, the area under the ROC curve of the factor
# it tracks best, averaged by membership; and, of the factors that some latent tracks at 0.9, how many have a *shared*
# latent among those.

# %% tags=["hide-input"]
factors = None
if chosen.truth:
    from mosaic.interpretation import tracking

    rows, known_factors = tracking.texts()
    areas, best_is_shared = [], []
    for i, table in enumerate(tracking.tables(rows, lm, seed_saes.seed_encoders(chosen, lm, few), problems.CACHE)):
        best, name = tracking.best_factor(table, rows, known_factors)
        areas.append(best)
        for factor in {f.name for f in known_factors}:
            those = np.array([n == factor for n in name]) & (best >= 0.9)
            if those.any():
                best_is_shared.append(bool((member[i][those] > 1).any()))
    areas = np.concatenate(areas)
    factors = {
        "orphan": float(areas[scored_member == 1].mean()), "shared": float(areas[scored_member > 1].mean()),
        "orphans_above": float((areas[scored_member == 1] >= 0.9).mean()), "shared_above": float((areas[scored_member > 1] >= 0.9).mean()),
        "found_by_a_shared_latent": float(np.mean(best_is_shared)), "n_found": len(best_is_shared),
    }
    ax = plots.bars(by_membership(areas), "AUROC of its best factor", f"in exactly so many of {S} SAEs")
    ax.set_ylim(0.5, 1)

# %% tags=["hide-input"]
rho = spearmanr(frequency[fires], membership[fires])
results.record(
    chosen.name,
    "which_latents",
    {
        "n_seeds": S,
        "least": detection.LEAST,
        "frequency": {"spearman": float(rho.statistic), "shared_by_fifth": by_frequency, "rarest": by_frequency[0], "most_frequent": by_frequency[-1],
                      "monotone": "yes" if all(a <= b for a, b in zip(by_frequency, by_frequency[1:], strict=False)) else "no"},
        "detection": {**step, "by_membership": {m: {"mean": v, "low": low, "high": high} for m, v, low, high in by_member}},
        "factors": factors,
        "factor_text": "not known on this profile" if factors is None else
        f"{factors['shared_above']:.3f} of the shared latents and {factors['orphans_above']:.3f} of the orphans track a factor at 0.9; "
        f"of the factors that are found at all, {factors['found_by_a_shared_latent']:.3f} are found by a shared latent",
    },
);

# %% [markdown]
# ## What it says
#
# Of the rarest fifth of the latents {result}`which_latents.frequency.rarest` are in another SAE too, of the most frequent
# fifth {result}`which_latents.frequency.most_frequent`; the rise is monotone over the fifths:
# {result}`which_latents.frequency.monotone`. Shared latents can be foretold at
# {result}`which_latents.detection.shared`, orphans at {result}`which_latents.detection.orphan` (difference
# {result}`which_latents.detection.difference`, {result}`which_latents.detection.interval`); another latent's explanation gets
# {result}`which_latents.detection.another_latent`. Known factors: {result}`which_latents.factor_text`.

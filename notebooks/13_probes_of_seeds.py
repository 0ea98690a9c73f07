# needs: seeds
# %% [markdown]
# # If SAEs disagree, do their probes?
#
# This is the book's own question. Its chapters read off SAE latents what a text is about; and SAEs that differ in nothing
# but their seed disagree on most of their latents. Do the probes still say the same?
#
# For {result}`probes_of_seeds.n_seeds` SAEs of one setting: the same probe (logistic regression on
# {result}`probes_of_seeds.pooling`-pooled latents, one regularisation, chosen on validation folds with the first seed) on
# each seed's features. What it is held against is how far *any* probe wavers: the first seed's probe with the training
# texts drawn again, as many times as there are seeds.

# %% tags=["parameters"]
profile = "mini"
pooling = "mean"
n_seeds = 5

# %% tags=["hide-input"]
import numpy as np
from IPython.display import HTML

from mosaic.agreement import probe_agreement
from mosaic.features.extract import Request
from mosaic.probing.problem import make_problem, subsample
from mosaic.profiles.opening import available, load_model
from mosaic.profiles.profile import load_profile
from mosaic.reporting import plots, results, tables
from mosaic.saes import sweep
from mosaic.studies import problems
from mosaic.studies import seeds as seed_saes
from mosaic.texts.sources import load_set

plots.style()
chosen = load_profile(profile)
lm = load_model(chosen)
base = sweep.settings(seed_saes.seed_rows(chosen))[0]
rows = base.rows[:n_seeds]
seeds = seed_saes.seeds_of(chosen, rows)
encoders = seed_saes.seed_encoders(chosen, lm, rows)
request = Request(encoders, (), (pooling,))

# %% tags=["hide-input"]
table, scored = [], {}
for choice in available(chosen):
    train, test = load_set(choice.name, choice.language)
    train, test = subsample(train, chosen.max_train), subsample(test, chosen.max_test)
    problem = make_problem(train, test, lm, request, problems.CACHE)
    strength = probe_agreement.chosen_strength(problem)
    by_seed = [probe_agreement.run(problem, seed, strength) for seed in range(len(rows))]
    by_draw = [probe_agreement.run(problem, 0, strength, draw=draw) for draw in range(len(rows))]
    kept = probe_agreement.restricted(problem, seeds, strength)
    f1 = [probe.macro_f1 for probe in by_seed]
    scored[choice.title] = {
        "seeds": {"mean": float(np.mean(f1)), "low": min(f1), "high": max(f1), "sd": float(np.std(f1, ddof=1))},
        "draws": {"mean": float(np.mean([p.macro_f1 for p in by_draw])), "sd": float(np.std([p.macro_f1 for p in by_draw], ddof=1))},
        "agreement": {"seeds": probe_agreement.agreement(by_seed), "draws": probe_agreement.agreement(by_draw)},
        "top": probe_agreement.top_overlap(by_seed, seeds),
        "kept": {name: float(np.mean(values)) for name, values in kept.items()},
    }

# %% [markdown]
# ## The score
#
# Macro-F1 over the seeds, with their range; and the standard deviation over seeds beside the one over training draws.

# %% tags=["hide-input"]
plots.bars([(title, v["seeds"]["mean"], v["seeds"]["low"], v["seeds"]["high"]) for title, v in scored.items()], "macro-F1 (test), range over seeds").tick_params(axis="x", rotation=20);

# %% tags=["hide-input"]
HTML(
    tables.table(
        [{"set": title, "f1": v["seeds"]["mean"], "sd": v["seeds"]["sd"], "draws": v["draws"]["sd"],
          "agree": v["agreement"]["seeds"], "agree_draws": v["agreement"]["draws"]} for title, v in scored.items()],
        {"set": "set", "f1": "macro-F1", "sd": "sd over seeds", "draws": "sd over draws", "agree": "two seeds say the same", "agree_draws": "two draws say the same"},
    )
)

# %% [markdown]
# ## The same latents?
#
# Of one probe's twenty largest latents, how many are among another seed's twenty: by their number (which means nothing
# across seeds), after each latent is replaced by its matched partner, and when the partner must count as shared.

# %% tags=["hide-input"]
HTML(
    tables.table(
        [{"set": title, **v["top"]} for title, v in scored.items()],
        {"set": "set", "before": "by number", "after": "by matched partner", "shared": "by shared partner"},
    )
)

# %% [markdown]
# ## Only the shared latents
#
# The probe may see all latents, only those that at least one other seed shares, only those that no other seed has, or as
# many at random as are shared.

# %% tags=["hide-input"]
HTML(
    tables.table(
        [{"set": title, **v["kept"]} for title, v in scored.items()],
        {"set": "set", "all": "all latents", "shared": "shared only", "random": "as many at random", "orphan": "orphans only"},
    )
)

# %% tags=["hide-input"]
def over(*path):
    values = []
    for value in scored.values():
        for key in path:
            value = value[key]
        values.append(value)
    return float(np.mean(values))


member = [seeds.membership(i) for i in range(len(rows))]
loss = [v["kept"]["all"] - v["kept"]["shared"] for v in scored.values()]
generator = np.random.default_rng(0)
draws = generator.choice(loss, (2000, len(loss))).mean(1)
summary = {
    "f1": over("seeds", "mean"), "sd_seeds": over("seeds", "sd"), "sd_draws": over("draws", "sd"),
    "agreement_seeds": over("agreement", "seeds"), "agreement_draws": over("agreement", "draws"),
    "top_before": over("top", "before"), "top_after": over("top", "after"), "top_shared": over("top", "shared"),
    "kept_all": over("kept", "all"), "kept_shared": over("kept", "shared"), "kept_orphan": over("kept", "orphan"), "kept_random": over("kept", "random"),
    "shared_latents": float(np.mean([(m > 1).mean() for m in member])),
    "loss": {"difference": float(np.mean(loss)), "interval": [float(x) for x in np.quantile(draws, (0.025, 0.975))]},
}
ratio = summary["sd_seeds"] / summary["sd_draws"]
answer = "yes" if ratio <= 1.5 and summary["agreement_seeds"] >= summary["agreement_draws"] - 0.05 else "no"
reason = (
    f"over seeds the score moves by {summary['sd_seeds']:.3f}, over training draws by {summary['sd_draws']:.3f}; two seeds' probes say the same "
    f"of {summary['agreement_seeds']:.3f} of the test texts, two draws' of {summary['agreement_draws']:.3f}"
)
results.record(
    chosen.name,
    "probes_of_seeds",
    {"n_seeds": len(rows), "pooling": pooling, "sets": scored, "mean": summary, "ratio": ratio, "answer": answer, "reason": reason},
);

# %% [markdown]
# ## The answer
#
# Do probes on SAEs of other seeds agree as well as probes on other draws of the training texts? **{result}`probes_of_seeds.answer`**:
# {result}`probes_of_seeds.reason`. (The rule, fixed beforehand: *yes* when the spread over seeds is at most one and a half
# times that over draws and agreement at most .05 lower.)
#
# The *latents* they lean on are another matter: by matched partner {result}`probes_of_seeds.mean.top_after` of the top twenty are
# found again, by shared partner {result}`probes_of_seeds.mean.top_shared`. Restricted to shared latents
# ({result}`probes_of_seeds.mean.shared_latents` of all), probes score {result}`probes_of_seeds.mean.kept_shared` against
# {result}`probes_of_seeds.mean.kept_all` with all and {result}`probes_of_seeds.mean.kept_random` with as many at random; orphans
# alone give {result}`probes_of_seeds.mean.kept_orphan`. So a score is less a matter of the seed than the list of latents it
# is read from: who names a probe's top latents should say of how many seeds they are the top.

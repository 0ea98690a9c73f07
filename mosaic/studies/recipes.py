"""Do SAEs trained by other recipes agree more across seeds than TopK? Llama Scope's, Matryoshka and archetypal dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import probe_agreement
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.resampling import Estimate
from mosaic.features.request import Request
from mosaic.probing.problem import Problem, make_problem
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.saes.recipe import TrainRun
from mosaic.studies import recipes_read as read
from mosaic.studies import recipes_said as said
from mosaic.studies.problems import CACHE, load_cut, opened, sets_here
from mosaic.studies.recipes_read import ANNEALED, BATCHTOPK, FLAT, MATRYOSHKA, TOPK, Recipe, minus
from mosaic.studies.study import Study
from mosaic.studies.unseen import unseen

POOLING = "mean"
OF_PAIRS = ("pw_mcc", "pw_mcc_alive", "shared", "order", "order_by_frequency")
OF_SEEDS = ("l0", "fvu", "dead")


@dataclass(frozen=True)
class Recipes(Study):
    """Every recipe beside TopK of the same layer, width, k and tokens.

    recipes: by key, TopK first. centroids: PW-MCC of k-means centroids of several draws, where a recipe is archetypal.
    n_tokens: held out, on which L0, FVU and dead latents are measured. sets: probed. kind: of the texts.
    """

    name: ClassVar[str] = "recipes"
    needs: ClassVar[tuple[str, ...]] = ("seeds", "recipes")

    recipes: Mapping[str, Recipe]
    centroids: Estimate | None
    n_tokens: int
    sets: tuple[str, ...]
    kind: str

    def summary(self) -> dict:
        rows = {key: self._row(recipe) for key, recipe in self.recipes.items()}
        row = self.recipes[TOPK].group.rows[0]
        out = {
            "setting": {key: row[key] for key in read.ALIKE},
            "n_seeds": len(self.recipes[TOPK].seeds),
            "n_tokens": self.n_tokens,
            "texts": self.kind,
            "pooling": POOLING,
            "sets": list(self.sets),
            "recipes": rows,
            "minus": self.against,
            "matryoshka": self.matryoshka,
            "conversion": self.conversion,
            "annealing": self.annealing,
            "centroids": _recorded(self.centroids),
            "learned": self.learned,
            "most_stable": self.most_stable,
        }
        return out | {"sentences": self._sentences(rows)}

    def _sentences(self, rows: Mapping[str, Mapping]) -> dict[str, str]:
        titles = {key: recipe.group.title for key, recipe in self.recipes.items()}
        return {
            "agree": said.agree(
                {titles[key]: found["pw_mcc"] for key, found in self.against.items()}, "mean matched cosine"
            ),
            "both": said.both({titles[key]: (found["pw_mcc"], found["shared"]) for key, found in self.against.items()}),
            "shared": said.agree(
                {titles[key]: found["shared"] for key, found in self.against.items()}, "shared fraction"
            ),
            "comparable": said.comparable(
                {titles[key]: (rows[key]["l0"]["mean"], rows[key]["fvu"]["mean"]) for key in rows}, titles[TOPK]
            ),
            "conversion": said.conversion(self.conversion.get(ANNEALED)),
            "annealing": said.annealing(self.annealing),
            "matryoshka": said.ordered(self.matryoshka),
            "archetypal": said.archetypal(self.against, _recorded(self.centroids), self.learned),
            "probes": said.probes(self.most_stable),
        }

    @cached_property
    def against(self) -> dict:
        """{recipe: {figure: its difference to TopK's}}."""
        base = self.recipes[TOPK]
        out = {}
        for key, one in self.recipes.items():
            if key == TOPK:
                continue
            found = {name: minus(one.of_pairs(name), base.of_pairs(name)) for name in OF_PAIRS}
            found |= {name: minus(one.of_seeds(name), base.of_seeds(name)) for name in OF_SEEDS}
            found["macro_f1"] = minus(one.macro_f1(), base.macro_f1())
            found["probes_agree"] = minus(one.probes_agree(), base.probes_agree())
            out[key] = found
        return out

    @cached_property
    def matryoshka(self) -> dict | None:
        """Its order beside TopK's, its levels, and its agreement beside BatchTopK's, whose activation it has."""
        one, beside = self.recipes.get(MATRYOSHKA), self.recipes.get(BATCHTOPK)
        if one is None:
            return None
        base = self.recipes[TOPK]
        less = (
            {name: minus(one.of_pairs(name), beside.of_pairs(name)) for name in ("pw_mcc", "shared")}
            if beside
            else None
        )
        return {
            "order": _recorded(one.of_pairs("order")),
            "order_of_topk": _recorded(base.of_pairs("order")),
            "topk_by_frequency": _recorded(base.of_pairs("order_by_frequency")),
            "minus_topk": minus(one.of_pairs("order"), base.of_pairs("order")),
            "minus_batchtopk": less,
            "levels": one.levels(),
        }

    @cached_property
    def learned(self) -> dict | None:
        """PW-MCC of archetypal SAEs with centroids of their own minus that of such centroids alone: what learning does to it."""
        one = self.recipes.get(read.ARCHETYPAL)
        return minus(one.of_pairs("pw_mcc"), self.centroids) if one and self.centroids else None

    @cached_property
    def conversion(self) -> dict:
        """{recipe: what putting one threshold in TopK's place does to L0 and FVU, mean over seeds}."""
        out = {}
        for key, one in self.recipes.items():
            if one.before:
                pairs = list(zip(one.measured, one.before, strict=True))
                out[key] = {
                    "l0_ratio": _recorded(read.over_seeds(a["l0"] / b["l0"] for a, b in pairs)),
                    "fvu_before": float(np.mean([b["fvu"] for _, b in pairs])),
                    "fvu_change": _recorded(read.over_seeds(a["fvu"] - b["fvu"] for a, b in pairs)),
                    "l0": float(np.mean([a["l0"] for a, _ in pairs])),
                    "l0_sd_by_token": float(np.mean([active.std() for active in one.active])),
                    "tokens_with_none": float(np.mean([(active == 0).mean() for active in one.active])),
                }
        return out

    @cached_property
    def annealing(self) -> dict | None:
        """Dead latents without annealing minus with it, seed by seed (same start, same batches)."""
        if ANNEALED not in self.recipes or FLAT not in self.recipes:
            return None
        pairs = list(zip(self.recipes[FLAT].measured, self.recipes[ANNEALED].measured, strict=True))
        found = {
            name: _recorded(read.over_seeds(flat[name] - one[name] for flat, one in pairs)) for name in ("dead", "fvu")
        }
        shares = [float(np.mean([pair[i]["dead"] for pair in pairs])) for i in (0, 1)]
        return {
            "fewer_dead": found["dead"],
            "lower_fvu": found["fvu"],
            "dead_without": shares[0],
            "dead_with": shares[1],
        }

    @cached_property
    def most_stable(self) -> dict:
        """Of the recipes whose PW-MCC is above TopK's (interval above 0), the one with the largest; whether its probes agree more."""
        above = {key: found for key, found in self.against.items() if (found["pw_mcc"]["interval"] or [0])[0] > 0}
        if not above:
            return {"recipe": None, "probes_agree": {"difference": None, "interval": None}, "of": None, "topk": None}
        key = max(above, key=lambda name: self.recipes[name].of_pairs("pw_mcc").value)
        return {
            "recipe": self.recipes[key].group.title,
            "probes_agree": above[key]["probes_agree"],
            "of": self.recipes[key].probes_agree().value,
            "topk": self.recipes[TOPK].probes_agree().value,
        }

    def figure(self):
        """What every recipe's seeds share, 95 % over SAEs: by decoders, and by both; beside it the decoders' chance."""
        rows = []
        for recipe in self.recipes.values():
            for figure, name in {"pw_mcc": "mean matched cosine", "shared": "shared"}.items():
                found = recipe.of_pairs(figure)
                low, high = found.share_interval() or (found.value, found.value)
                rows.append(
                    {"set": recipe.group.title, "features": name, "macro_f1": found.value, "low": low, "high": high}
                )
            by_chance = recipe.chance["pw_mcc"]
            rows.append(
                {
                    "set": recipe.group.title,
                    "features": "chance: mean matched cosine",
                    "macro_f1": by_chance,
                    "low": by_chance,
                    "high": by_chance,
                }
            )
        return plots.finished(plots.intervals(rows, "pairs of seeds, 95 % over SAEs; chance: a random dictionary"))

    def active_figure(self):
        """Share of tokens with at most so many active latents, first seed: a threshold lets the number vary, TopK does not."""
        keys = [key for key in (TOPK, BATCHTOPK, ANNEALED) if key in self.recipes]
        series, most = {}, int(max(np.quantile(self.recipes[key].active[0], 0.99) for key in keys))
        for key in keys:
            active = self.recipes[key].active[0]
            series[self.recipes[key].group.title] = {n: float((active <= n).mean()) for n in range(most + 1)}
        return plots.finished(plots.steps(series, "active latents, at most", "share of tokens").figure)

    def table(self) -> tables.Html:
        """Every recipe: what it is worth, what its seeds share, what probes on it say."""
        rows = []
        for recipe in self.recipes.values():
            found = self._row(recipe)
            rows.append(
                {"recipe": recipe.group.title} | {key: value["mean"] for key, value in found.items() if key != "chance"}
            )
        headings = {"recipe": "recipe", "l0": "L0", "l0_sd_by_token": "its sd by token", "fvu": "FVU", "dead": "dead"}
        headings |= {
            "pw_mcc": "PW-MCC",
            "pw_mcc_alive": "alive only",
            "shared": "shared",
            "order": "order",
            "macro_f1": "macro-F1",
            "probes_agree": "probes agree",
        }
        return tables.table(rows, headings)

    def levels_table(self) -> tables.Html:
        """What the seeds of a Matryoshka SAE share, level by level."""
        levels = (self.matryoshka or {}).get("levels", [])
        rows = [{"latents": f"{one['from']} to {one['to']}", **one} for one in levels]
        return tables.table(rows, {"latents": "latents", "pw_mcc": "PW-MCC", "shared": "shared"})

    @staticmethod
    def _row(recipe: Recipe) -> dict:
        found = {name: _recorded(recipe.of_seeds(name)) for name in OF_SEEDS}
        found |= {name: _recorded(recipe.of_pairs(name)) for name in OF_PAIRS}
        found["l0_sd_by_token"] = _recorded(read.over_seeds(active.std() for active in recipe.active))
        found |= {"macro_f1": _recorded(recipe.macro_f1()), "probes_agree": _recorded(recipe.probes_agree())}
        return found | {"chance": dict(recipe.chance)}


def run(
    profile: str | Profile, *, n_texts: int = 1000, n_sets: int = 3, device: str = "cpu", cache: Path | None = CACHE
) -> Recipes:
    """Every recipe of the profile's folder on n_texts held-out texts, and probes on the profile's first n_sets sets."""
    profile = load_profile(profile) if isinstance(profile, str) else profile
    groups = read.groups_of(profile)  # before anything long
    profile, lm = opened(profile, device)
    rows, trained = [row for group in groups for row in group.rows], TrainRun()
    tokens, kind = unseen(profile, lm, rows, n_texts, trained.held_out, trained.seed)
    worth, active = read.measured(groups, lm, tokens), read.active_latents(groups, profile, lm, tokens)
    choices = sets_here(profile)[:n_sets]
    probes: dict[str, dict] = {group.key: {} for group in groups}
    parts = {}
    for choice in choices:
        train, test = load_cut(profile, choice.name, choice.language)
        encoders = {group.key: read.encoders(group, profile, lm) for group in groups}
        request = Request(tuple(e for of in encoders.values() for e in of), (), (POOLING,))
        problem = make_problem(train, test, lm, request, cache)
        parts[choice.title] = next(iter(test.part_rows().values()))
        place = 0
        for key, of in encoders.items():
            probes[key][choice.title] = probed(replace(problem, tables=problem.tables[place : place + len(of)]))
            place += len(of)
    found = {}
    for group in groups:
        of = group.dictionaries()
        found[group.key] = Recipe(
            group, Seeds.of(of, device), tuple(worth[group.key][0]), tuple(active[group.key]), tuple(worth[group.key][1]),
            probes[group.key], parts, read.chance_of(of[0], device),
        )  # fmt: skip
    archetypal = [group for group in groups if group.key in (read.ARCHETYPAL, read.COMMON)]
    centroids = read.centroids_of(archetypal[0], lm, tokens) if archetypal else None
    return Recipes(
        profile, found, centroids, int(worth[TOPK][0][0]["held_out_tokens"]), tuple(c.title for c in choices), kind
    )


def probed(problem: Problem) -> list[probe_agreement.ProbeRun]:
    """One probe a seed, of the strength that validation folds choose for the first. problem.tables: one a seed."""
    strength = probe_agreement.chosen_strength(problem)
    return [probe_agreement.run(problem, i, strength) for i in range(len(problem.tables))]


def _recorded(found: Estimate | None) -> dict | None:
    """{mean, se, df, interval}; a bare number that is none is None."""
    if found is None or not np.isfinite(found.value):
        return None
    return {"mean": found.value, "interval": found.interval()}

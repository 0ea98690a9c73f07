"""SAEs of several recipes beside TopK: which there are, what each is worth on texts it has not seen, what its seeds share.

Shapes: N tokens, D = width (latents), S seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from mosaic.agreement import probe_agreement, stability
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.probe_agreement import Pairs, ProbeRun
from mosaic.agreement.resampling import Estimate, jackknife, linear, pair_mean
from mosaic.errors import MosaicError
from mosaic.models.language import LanguageModel, Tokens
from mosaic.profiles.opening import located_folder
from mosaic.profiles.profile import Profile
from mosaic.saes.dictionary import Dictionary, load_dictionary, random_dictionary
from mosaic.saes.recipe import LEVELS
from mosaic.saes.sweep import SeedGroup, read_card, seed_groups, shown
from mosaic.studies.probe_spread import mean_pairs
from mosaic.studies.seeds import seed_rows

TOPK, BATCHTOPK = "topk", "batchtopk"
ANNEALED, FLAT, MATRYOSHKA = "llama_scope", "llama_scope_no_annealing", "matryoshka"
ARCHETYPAL, COMMON = "archetypal", "archetypal_common_centroids"
TITLES = {
    TOPK: "TopK",
    BATCHTOPK: "BatchTopK",
    ANNEALED: "Llama Scope",
    FLAT: "Llama Scope, K not annealed",
    MATRYOSHKA: "Matryoshka",
    ARCHETYPAL: "archetypal",
    COMMON: "archetypal, common centroids",
}
CENTROID_TOKENS = 10_240  # as many as the trainer draws its centroids from
ALIKE = ("layer", "width", "k", "tokens")  # in what every recipe is TopK's equal


@dataclass(frozen=True)
class Group:
    """SAEs of one recipe that differ in their seed alone. key: of TITLES, or the architecture. rows: of their card."""

    key: str
    folder: Path
    rows: tuple[dict, ...]

    @property
    def title(self) -> str:
        return TITLES.get(self.key, self.key)

    @property
    def folders(self) -> list[Path]:
        return [self.folder / row["name"] for row in self.rows]

    def dictionaries(self) -> list[Dictionary]:
        return [load_dictionary(folder) for folder in self.folders]


@dataclass(frozen=True)
class Recipe:
    """One recipe, measured. measured: of each seed's SAE, as `measure_opened` gives it; before: the same before TopK became a
    threshold (empty where it did not). active: [N] latents of every token, by seed. probes: {set: one a seed}; rows: {set: rows
    of its test that count}. chance: PW-MCC and shared fraction of the first SAE with a random dictionary."""

    group: Group
    seeds: Seeds
    measured: tuple[dict, ...]
    active: tuple[np.ndarray, ...]
    before: tuple[dict, ...]
    probes: Mapping[str, Sequence[ProbeRun]]
    rows: Mapping[str, np.ndarray]
    chance: Mapping[str, float]

    def of_seeds(self, figure: str) -> Estimate:
        """L0, FVU or share of dead latents, the mean over seeds."""
        return over_seeds([one[figure] for one in self.measured])

    def of_pairs(self, figure: str) -> Estimate:
        """ "pw_mcc", "pw_mcc_alive", "shared", "order" or "order_by_frequency", the mean over pairs of seeds."""
        return pair_mean({pair: FIGURES[figure](found) for pair, found in self.seeds.matches.items()})

    def macro_f1(self) -> Estimate:
        """Of the probes, mean over sets and seeds."""
        return over_seeds(np.mean([[run.macro_f1 for run in runs] for runs in self.probes.values()], axis=0))

    def probes_agree(self) -> Estimate:
        """Share of test texts on which two seeds' probes say the same, mean over sets and pairs."""
        sets: list[Pairs] = [probe_agreement.agreement(runs, self.rows[name]) for name, runs in self.probes.items()]
        return pair_mean(mean_pairs(sets))

    def levels(self) -> list[dict]:
        """Of the first D/8 latents, the next to D/4, to D/2 and to D: PW-MCC and shared fraction, mean over pairs."""
        width = len(self.seeds.dictionaries[0])
        edges = [0, *(width // level for level in LEVELS)]
        out = []
        for low, high in pairwise(edges):
            parts = [
                (np.nanmean(found.decoder.cosine[low:high]), found.shared()[low:high].mean())
                for found in self.seeds.matches.values()
            ]
            cosine, both = np.mean(parts, axis=0)
            out.append({"from": low + 1, "to": high, "pw_mcc": float(cosine), "shared": float(both)})
        return out


def groups_of(profile: Profile) -> list[Group]:
    """TopK, BatchTopK where the sweep has it, and every recipe of the profile's folder, all of the same seeds. TopK is the sweep's base, or
    that variation of it which the recipes are like.

    Raises MosaicError where the profile names no recipes, where one has fewer than three seeds or seeds that TopK has not, and
    where layer, width, k or tokens are not TopK's: other budgets are not compared.
    """
    if not profile.recipes:
        raise MosaicError(
            f"profile {profile.name} names no SAEs by other recipes: train some as TopK was and give their folder as `recipes:`."
        )
    folder, home = located_folder(profile.recipes), located_folder(profile.seeds)
    sweep, rows = seed_groups(seed_rows(profile)), read_card(folder)
    usual, _ = Counter(tuple(row[key] for key in ALIKE) for row in rows).most_common(1)[0]
    base = alike(sweep, dict(zip(ALIKE, usual, strict=True))) or sweep[0]
    found: dict[str, list[dict]] = {}
    for row in rows:
        if unlike := [key for key in ALIKE if row[key] != base.rows[0][key]]:
            raise MosaicError(
                f"{folder / row['name']} has {unlike[0]} {row[unlike[0]]}, the profile's TopK SAEs {base.rows[0][unlike[0]]}; recipes "
                "are compared at one layer, width, k and number of tokens. Train it as those were."
            )
        found.setdefault(key_of(row), []).append(row)
    seeds = sorted({row["seed"] for rows in found.values() for row in rows})
    for key, rows in found.items():
        own = [row["seed"] for row in rows]
        if sorted(own) != seeds or len(seeds) < 3 or not set(seeds) <= set(base.seeds):
            raise MosaicError(
                f"{folder}: {key} has seeds {own}. Three or more are expected, the same of every recipe, and of TopK "
                f"(which has {base.seeds})."
            )
    beside = [group for group in sweep if group.value == BATCHTOPK and _same(group.rows[0], base.rows[0])]
    known = {TOPK: base.rows} | {group.value: group.rows for group in beside if set(seeds) <= set(group.seeds)}
    of_sweep = [Group(key, home, tuple(r for r in rows if r["seed"] in seeds)) for key, rows in known.items()]
    return of_sweep + [Group(key, folder, tuple(rows)) for key, rows in found.items()]


def alike(sweep: Sequence[SeedGroup], row: Mapping) -> SeedGroup | None:
    """The TopK SAEs of a sweep, its base or a variation of it, that have a row's layer, width, k and tokens."""
    return next((g for g in sweep if g.rows[0]["architecture"] == TOPK and _same(g.rows[0], row)), None)


def _same(one: Mapping, other: Mapping) -> bool:
    return all(one[key] == other[key] for key in ALIKE)


def key_of(row: Mapping) -> str:
    """What a row of a card was trained by: its architecture, and what sets it apart from others of it."""
    name = row["architecture"]
    if name == ANNEALED and not row.get("anneal"):
        return FLAT
    return COMMON if name == ARCHETYPAL and row.get("centroids") is not None else name


def over_seeds(values: Iterable[float]) -> Estimate:
    """The mean over SAEs, each left out in turn."""
    x = np.asarray(list(values), float)
    return jackknife(float(x.mean()), [float(np.delete(x, i).mean()) if len(x) > 1 else None for i in range(len(x))])


def minus(a: Estimate, b: Estimate) -> dict:
    """{difference, interval} of two recipes' figures, whose SAEs are others."""
    found = linear([(1, a), (-1, b)])
    return {"difference": found.value, "interval": found.interval()}


def order(match: stability.Match) -> float:
    """Spearman's correlation of i and P(i), P the decoders' matching (Ord of arXiv 2512.02194)."""
    from scipy.stats import spearmanr

    i = np.flatnonzero(match.decoder.partner >= 0)
    return float(spearmanr(i, match.decoder.partner[i]).statistic)


def order_by_frequency(match: stability.Match) -> float:
    """The same where both SAEs' latents are numbered by how often they fire: an order that any SAE has."""
    from scipy.stats import spearmanr

    if match.a.frequency is None or match.b.frequency is None:
        return float("nan")
    i = np.flatnonzero(match.decoder.partner >= 0)
    return float(spearmanr(match.a.frequency[i], match.b.frequency[match.decoder.partner[i]]).statistic)


def of_living(match: stability.Match) -> float:
    """PW-MCC of the latents alone that fire: an archetypal latent that never learned still lies where its centroid does."""
    return (stability.match_alive(match) or match).pw_mcc


FIGURES = {
    "pw_mcc": lambda match: match.pw_mcc,
    "pw_mcc_alive": of_living,
    "shared": lambda match: float(match.shared().sum() / match.n),
    "order": order,
    "order_by_frequency": order_by_frequency,
}


def measured(groups: Sequence[Group], lm: LanguageModel, tokens: Tokens) -> dict[str, tuple[list[dict], list[dict]]]:
    """{key: (figures by seed, the same before conversion)} of every recipe, the language model run once."""
    from sae_lens import SAE

    from mosaic.saes.llama_scope import before_conversion
    from mosaic.saes.measuring import measure_opened

    saes, places = [], []
    for group in groups:
        for folder, row in zip(group.folders, group.rows, strict=True):
            sae = SAE.load_from_disk(str(folder), device=lm.device, dtype="float32")
            saes.append((sae, row["layer"]))
            places.append((group.key, 0))
            if row["architecture"] == ANNEALED:
                saes.append((before_conversion(sae, row["k"]), row["layer"]))
                places.append((group.key, 1))
    out: dict[str, tuple[list[dict], list[dict]]] = {group.key: ([], []) for group in groups}
    for (key, which), (figures, _) in zip(places, measure_opened(saes, lm, tokens), strict=True):
        out[key][which].append(figures)
    return out


def active_latents(groups: Sequence[Group], profile: Profile, lm: LanguageModel, tokens: Tokens) -> dict[str, list]:
    """{key: [N] active latents of every token, by seed}, by this project's own encoders."""
    from mosaic.models.residuals import in_batches

    read = {group.key: encoders(group, profile, lm) for group in groups}
    counts: dict[str, list[list]] = {key: [[] for _ in of] for key, of in read.items()}
    layer = groups[0].rows[0]["layer"]
    for _, batch, _ in in_batches(lm, tokens, [layer]):
        for key, of in read.items():
            for kept, encoder in zip(counts[key], of, strict=True):
                kept.append(np.diff(encoder.encode(batch[layer]).indptr))
    return {key: [np.concatenate(kept) for kept in of] for key, of in counts.items()}


def encoders(group: Group, profile: Profile, lm: LanguageModel) -> list:
    """One a seed, for features."""
    from mosaic.saes.loading import load_encoder
    from mosaic.saes.source import SAESource

    sources = [
        SAESource(row["layer"], shown(row, "width"), path=str(folder), seed=row["seed"])
        for folder, row in zip(group.folders, group.rows, strict=True)
    ]
    return [load_encoder(source, profile.model.id, lm.d_model, lm.device, lm.spec.first_layer) for source in sources]


def chance_of(dictionary: Dictionary, device: str = "cpu") -> dict[str, float]:
    """{pw_mcc, shared} with random rows: what matching makes of nothing."""
    found = stability.match(dictionary, random_dictionary(dictionary, 0), device)
    return {name: FIGURES[name](found) for name in ("pw_mcc", "shared")}


def centroids_agree(x: np.ndarray, width: int, seeds: Sequence[int]) -> Estimate:
    """PW-MCC of k-means centroids alone, from activations [N, d] whose mean is taken off: what an archetypal dictionary with
    centroids of its own is given before it learns. One draw a seed."""
    from sklearn.cluster import KMeans

    x = x - x.mean(0)
    drawn = [KMeans(width, n_init=1, random_state=seed).fit(x).cluster_centers_.astype(np.float32) for seed in seeds]
    of = Seeds.of([Dictionary(f"centroids {seed}", rows, rows) for seed, rows in zip(seeds, drawn, strict=True)])
    return pair_mean({pair: found.pw_mcc for pair, found in of.matches.items()})


def centroids_of(group: Group, lm: LanguageModel, tokens: Tokens) -> Estimate:
    """The same from the first held-out tokens, for the seeds and the width of a recipe."""
    from mosaic.models.residuals import in_batches

    row, parts = group.rows[0], []
    for _, batch, _ in in_batches(lm, tokens, [row["layer"]]):
        parts.append(batch[row["layer"]].cpu().double().numpy())
        if sum(map(len, parts)) >= CENTROID_TOKENS:
            break
    seeds = [one["seed"] for one in group.rows]
    return centroids_agree(np.concatenate(parts)[:CENTROID_TOKENS], row["width"], seeds)

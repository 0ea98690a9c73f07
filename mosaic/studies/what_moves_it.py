"""What moves the agreement of seeds: width, active latents, training tokens, layer, architecture, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import stability
from mosaic.agreement.pairwise import Seeds, over_pairs
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, published, tables
from mosaic.reporting.beside import beside_published
from mosaic.saes.dictionary import random_dictionary
from mosaic.saes.sweep import SeedGroup, seed_groups
from mosaic.studies import move_sentences, moves
from mosaic.studies.problems import CACHE
from mosaic.studies.seeds import base_of, seed_rows, seeds_of
from mosaic.studies.study import Study
from mosaic.studies.wording import read_here, same_batches

AXES = {
    "width": "width (latents)",
    "k": "k, active latents per token",
    "tokens": "tokens trained on",
    "layer": "layer",
}
PUBLISHED = {"width": "seeds.width", "k": "seeds.k", "tokens": "seeds.tokens", "layer": "seeds.layer.N=32768"}
FIGURES = {
    "shared": "shared",
    "alive": "shared, alive only",
    "chance_shared": "chance: shared",
    "pw_mcc": "mean matched cosine",
    "chance_cosine": "chance: mean matched cosine",
}
AGAINST = {"l0": "L0, active latents per token (held-out)", "fvu": "fraction of variance unexplained (held-out)"}
COLUMNS = {
    "architecture": "architecture",
    "shared": "shared",
    "low": "95 % from",
    "high": "to",
    "pw_mcc": "PW-MCC",
    "l0": "L0",
    "fvu": "FVU",
    "topk_at_l0": "TopK at this L0",
    "topk_at_fvu": "TopK at this FVU",
}


@dataclass(frozen=True)
class WhatMovesIt(Study):
    """The settings of a sweep, each trained from several seeds.

    found: the settings, the base first. measured: the figures of each, by the name of its first SAE (`measure`).
    """

    name: ClassVar[str] = "what_moves_it"
    needs: ClassVar[tuple[str, ...]] = ("sweep",)

    found: tuple[SeedGroup, ...]
    measured: dict[str, dict]

    def summary(self) -> dict:
        rows = moves.architectures(self.found, self.measured)
        ends = {what: moves.ends(self._points(what, "shared")) for what in ("width", "k", "tokens")}
        layer, topk = moves.layers(self._points("layer", "shared")), moves.dense_over_topk(self.found, self.measured)
        same = [same_batches(group.rows) for group in self.found]
        same = None if None in same else all(same)
        return {
            "n_base": len(self.found[0].rows),
            "n_saes": sum(len(group.rows) for group in self.found),
            "same_batches": same,
            "settings": {
                f"{group.varies}_{group.value}".replace(".", "_"): self.measured[group.rows[0]["name"]]
                for group in self.found
            },
            **ends,
            "layer": layer,
            "architectures": {row["architecture"]: row for row in rows},
            **topk,
            "sentences": {
                "read": read_here(self.found[0].rows),
                "batches": move_sentences.batches(same),
                "width": move_sentences.moved(ends["width"], "From %s to %s latents"),
                "k": move_sentences.moved(ends["k"], "From k = %s to %s"),
                "tokens": move_sentences.moved(ends["tokens"], "From %s to %s tokens"),
                "layer": move_sentences.best_layer(layer),
                "topk": move_sentences.against_topk(topk),
            },
        }

    def figure(self):
        """The sweep over k, or the first thing that was varied."""
        varied = [what for what in ("k", *AXES) if len(self._points(what, "shared")) > 1]
        return self.along(varied[0]) if varied else self.architectures()

    def along(self, what: str):
        """Figures of agreement along one sweep, bands 95 % over SAEs, beside the published values on an axis of their own; a
        line of text where it was not varied."""
        lines = {label: self._points(what, figure) for figure, label in FIGURES.items()}
        if len(lines["shared"]) == 1:
            return tables.Html("<p>Not varied on this profile.</p>")
        if lines["shared, alive only"] == lines["shared"]:
            del lines["shared, alive only"]
        series = {label: [point.drawn for point in line] for label, line in lines.items()}
        known = published.series(PUBLISHED[what])
        return plots.finished(beside_published(series, known, "shared, Pythia-160M", AXES[what], "share or cosine"))

    def architectures(self, against: str = "l0"):
        """Shared fraction of every architecture over its L0 ("l0") or its unexplained variance ("fvu")."""
        line = moves.topk_line(self.found, self.measured)
        groups = {"TopK, k = " + ", ".join(k for k, _ in line): [(f"k {k}", v) for k, v in line]} if line else {}
        base = self.found[0].rows[0]
        if not line:
            groups[base["architecture"]] = [(base["architecture"], self.measured[base["name"]])]
        for group in self.found:
            if group.varies == "architecture":
                groups[group.value] = [(group.value, self.measured[group.rows[0]["name"]])]
        dots = {
            name: [
                (label, v[against], *moves.Point(label, moves.estimate(v["shared"])).drawn[1:]) for label, v in members
            ]
            for name, members in groups.items()
        }
        chance = self.measured[base["name"]]["chance_shared"]
        return plots.finished(plots.scatter(dots, AGAINST[against], "shared", chance).figure)

    def table(self) -> tables.Html:
        """Every architecture beside TopK SAEs of the same sparsity, and of the same reconstruction."""
        return tables.table(moves.architectures(self.found, self.measured), COLUMNS)

    def _points(self, what: str, figure: str) -> list[moves.Point]:
        return moves.points(self.found, self.measured, what, figure)


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> WhatMovesIt:
    """Match all pairs of seeds of every setting. cache: not used, nothing is extracted."""
    profile, _ = base_of(profile)
    found = tuple(seed_groups(seed_rows(profile)))
    measured = {group.rows[0]["name"]: measure(group, seeds_of(profile, group.rows, device), device) for group in found}
    return WhatMovesIt(profile, found, measured)


def measure(group: SeedGroup, seeds: Seeds, device: str = "cpu") -> dict:
    """Figures of agreement over all pairs, chance beside them, and the SAEs' own mean L0, FVU and dead share."""
    first, second = seeds.dictionaries[:2]
    chance = stability.match(first, random_dictionary(second, 0), device)
    return {
        "shared": over_pairs(seeds, lambda pair: pair.shared().sum() / pair.n),
        "alive": over_pairs(seeds, stability.alive_share),
        "equal": over_pairs(seeds, lambda pair: pair.equal.sum() / pair.n),
        "pw_mcc": over_pairs(seeds, lambda pair: pair.pw_mcc),
        "chance_shared": float(chance.shared().sum() / chance.n),
        "chance_cosine": chance.pw_mcc,
        **{key: float(np.mean([row[key] for row in group.rows])) for key in ("l0", "fvu", "dead")},
        "n_pairs": len(seeds.matches),
    }

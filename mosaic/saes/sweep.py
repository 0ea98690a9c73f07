"""A sweep of SAEs for stability: a base, and variations that change one thing each, all from several seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.saes.recipe import ARCHITECTURES, L1, SAESpec, width_name


@dataclass(frozen=True)
class Sweep:
    """The first value of every tuple is the base; each other value is a variation of the base in that one thing.

    layers, widths, ks, tokens, architectures: as in `SAESpec`. l1: one weight for each architecture that has no k
    (standard, gated), in the order of `architectures`. seeds: of the base; variations take the first `varied` of them.
    """

    layers: tuple[int, ...]
    widths: tuple[int, ...]
    ks: tuple[int, ...]
    tokens: tuple[int, ...]
    architectures: tuple[str, ...] = ("topk",)
    l1: tuple[float, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    varied: int = 3

    def specs(self) -> list[SAESpec]:
        """Every SAE to train, the base first. Raises MosaicError where `l1` does not fit the architectures."""
        lacking = [name for name in self.architectures if name in L1]
        unknown = [name for name in self.architectures if name not in ARCHITECTURES]
        if unknown:
            raise MosaicError(f"architecture {unknown[0]!r} is not one of {', '.join(ARCHITECTURES)}.")
        if len(lacking) != len(self.l1):
            raise MosaicError(
                f"{len(self.l1)} weights of the L1 loss for {len(lacking)} architectures that need one "
                f"({', '.join(lacking) or 'none'}); give one each, in their order."
            )
        weights = dict(zip(lacking, self.l1, strict=True))
        kind = self.architectures[0]
        base = SAESpec(self.layers[0], self.widths[0], self.ks[0], 0, kind, weights.get(kind), self.tokens[0])
        variations = [
            *(replace(base, layer=layer) for layer in self.layers[1:]),
            *(replace(base, width=width) for width in self.widths[1:]),
            *(replace(base, k=k, tag=f"k_{k}") for k in self.ks[1:]),
            *(replace(base, tokens=n, tag=f"tokens_{n}") for n in self.tokens[1:]),
            *(replace(base, architecture=name, l1=weights.get(name), tag=name) for name in self.architectures[1:]),
        ]
        seeded = [replace(base, seed=seed) for seed in self.seeds]
        return seeded + [replace(v, seed=seed) for v in variations for seed in self.seeds[: self.varied]]


@dataclass(frozen=True)
class SeedGroup:
    """The SAEs of a card that differ in their seed alone. value: of what varies; "base" for the base."""

    varies: str
    value: str
    rows: tuple[dict, ...]

    @property
    def seeds(self) -> list[int]:
        return [row["seed"] for row in self.rows]


KEYS = ("layer", "width", "k", "tokens", "architecture")


def read_card(folder: Path) -> list[dict]:
    """The rows `mosaic train-sae` wrote. Raises MosaicError where the folder has no card, or one of another kind."""
    path = Path(folder) / "card.json"
    if not path.is_file():
        raise MosaicError(f"{path} does not exist. A folder written by `mosaic train-sae` is expected.")
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise MosaicError(f"{path} is not valid JSON ({error}). Run `mosaic train-sae` again.") from error
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise MosaicError(f"{path} is not the card of a sweep: a list with one row an SAE is expected.")
    for i, row in enumerate(rows, 1):
        missing = [key for key in ("name", "seed", *KEYS) if key not in row]
        if missing:
            raise MosaicError(f"{path}: row {i} has no {missing[0]}; `mosaic train-sae` writes it for every SAE.")
    return rows


def seed_groups(rows: Sequence[dict]) -> list[SeedGroup]:
    """The card's SAEs that differ in their seed alone, each group named by the one thing in which it leaves the base.

    The base, first, is the group of the most seeds. SAEs that saw other batches are another group; groups of one SAE
    and those that leave the base in two things are left out. Raises MosaicError where no two seeds can be compared.
    """
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        groups.setdefault((*(row[key] for key in KEYS), row.get("batches")), []).append(row)
    base = max(groups, key=lambda values: len(groups[values]))
    if len(groups[base]) < 2:
        raise MosaicError("no two SAEs of this card differ in their seed alone; train some with --seeds 0,1,2.")
    found = [SeedGroup("base", "base", tuple(groups.pop(base)))]
    for values, members in groups.items():
        differing = [key for key, a, b in zip(KEYS, values, base, strict=False) if a != b]
        if len(members) > 1 and len(differing) == 1:
            found.append(SeedGroup(differing[0], shown(members[0], differing[0]), tuple(members)))
    return found


def along(found: Sequence[SeedGroup], what: str) -> list[SeedGroup]:
    """The settings in which `what` varies, the base in its place: ascending numbers, or names in the card's order."""
    base = found[0]
    members = [SeedGroup(what, shown(base.rows[0], what), base.rows)] + [s for s in found if s.varies == what]
    return members if what == "architecture" else sorted(members, key=lambda group: group.rows[0][what])


def same_start(rows: Sequence[dict]) -> list[dict]:
    """The control: SAEs of the base's setting and one initialisation that saw other texts, the base's own first."""
    base = seed_groups(rows)[0].rows
    first = base[0]
    others = [row for row in rows if row["seed"] == first["seed"] and all(row[key] == first[key] for key in KEYS)]
    return [first] + [row for row in others if row.get("batches") != first.get("batches")]


def shown(row: dict, key: str) -> str:
    """A setting's value as a reader sees it: 1k, 2M, relu."""
    value = row[key]
    if key == "width":
        return width_name(value)
    if key == "tokens":
        return f"{value / 1e6:.2g}M"
    return {"standard": "relu"}.get(value, str(value))

"""The tables of the chapter on explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.reporting import published, tables
from mosaic.reporting.results import shown
from mosaic.studies import interpretation_labels as labels
from mosaic.studies.interpretation_examples import Example

UNKNOWN = tables.Html("<p>What its texts are about is not known on this profile.</p>")


def of_sets(sets: Mapping[str, Mapping], scores: Mapping[str, str]) -> tables.Html:
    """Medians of every score. scores: {score: heading}."""
    rows = [
        {"set": name, "n": found["detection"]["n"], **{score: one["value"] for score, one in found.items()}}
        for name, found in sets.items()
    ]
    return tables.table(
        rows,
        {
            "set": "latents of",
            "n": "latents",
            **scores,
            "auroc": "detection, AUROC",
            "intruder": "intruder (chance 0.2)",
        },
    )


def of_agreement(found: Mapping[str, Mapping]) -> tables.Html:
    known = published.table()
    rows = []
    for pair, one in found.items():
        key = f"interpretation.spearman.{pair.replace(' and ', '-')}"
        there = known[key].value if key in known else None
        rows.append(
            {"pair": pair, "here": one["value"], "interval": shown(one["interval"]), "n": one["n"], "published": there}
        )
    headings = {"pair": "scores", "here": "Spearman", "interval": "95 %", "n": "latents"}
    return tables.table(rows, headings | {"published": "published (language models as judges)"})


def of_saes(found: Mapping[str, tuple[int, Mapping]]) -> tables.Html:
    """found: {SAE: (latents that track a factor, {label: its share})}."""
    if not found:
        return UNKNOWN
    rows = [
        {"sae": name, "n": n, **{label: one["value"] for label, one in shares.items()}}
        for name, (n, shares) in found.items()
    ]
    every = dict.fromkeys(label for _, shares in found.values() for label in shares)
    return tables.table(rows, {"sae": "SAE", "n": "latents that track a factor", **{label: label for label in every}})


def of_examples(examples: Sequence[Example], known: bool) -> tables.Html:
    """known: whether factors are."""
    columns = {"latent": "latent", "fires": labels.INPUT, "detection": "detection"}
    if any(one.writes for one in examples):
        columns |= {"writes": labels.PROJECTED, "changes": labels.CHANGED}
    columns |= {"of_class": "a class in which it fires more (test texts)"}
    return tables.table([one.row() for one in examples], columns | ({"tracks": "factor it tracks"} if known else {}))

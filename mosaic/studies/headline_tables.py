"""The headline's tables: settings and scores, controls, what each family was given, few latents, the probes' latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mosaic import numerals
from mosaic.probing.examine import TopLatent
from mosaic.reporting import plots, tables
from mosaic.texts.labelled import NEW


def scored(value: Mapping | None, low: str = "low", high: str = "high") -> str:
    """`0.912 (0.890 to 0.931)`, or nothing where it was not measured."""
    return "" if value is None else numerals.with_interval(value["macro_f1"], value[low], value[high])


def settings_table(rows: Iterable[Mapping]) -> tables.Html:
    """One row a set and family: the scores, what validation chose, and how many settings it cannot tell from it.

    Scores come first: on a narrow page the rest is behind the edge.
    """
    shown = [
        {
            **row,
            "features": plots.NAMES[row["features"]],
            "setting": setting(row),
            "first": scored(first_part(row)),
            "new": scored(row["parts"].get(NEW)),
            "C": strength(row),
            "converged": "" if row["converged"] else "no",
        }
        for row in rows
    ]
    new = {"new": NEW} if any(row["new"] for row in shown) else {}
    columns = {"set": "set", "features": "features", "first": "macro-F1 (95 %)", **new}
    columns |= {"setting": "chosen on validation", "C": "C", "n_tied": "tied", "kind": "label"}
    failed = {"converged": "converged"} if any(row["converged"] for row in shown) else {}
    return tables.table(shown, columns | failed)


def controls_table(rows: Iterable[Mapping]) -> tables.Html:
    """One row a set and control at the equal budget, with the range of its draws."""
    shown = [
        {
            **row,
            "first": spread(first_part(row)),
            "new": spread(row["parts"][NEW]) if NEW in row["parts"] else "",
        }
        for row in rows
    ]
    new = {"new": NEW} if any(row["new"] for row in shown) else {}
    columns = {"set": "set", "control": "features", "n_draws": "draws", "poolings": "pooling chosen"}
    return tables.table(shown, columns | {"first": "macro-F1, mean (range of draws)", **new})


def spread(value: Mapping) -> str:
    """The mean of the draws and, where they differ, their range."""
    return (
        scored(value, "lowest", "highest") if value["lowest"] < value["highest"] else numerals.shown(value["macro_f1"])
    )


def effort_table(effort: Mapping[str, Mapping], names: Mapping[str, str] = plots.NAMES) -> tables.Html:
    """What each family was given: settings, poolings, edges of the grid of C, fits that did not converge."""
    rows = [
        {
            "features": names.get(family, family),
            "n_settings": found["n_settings"],
            "poolings": ", ".join(found["poolings"]),
            "low": found["edge"]["low"],
            "high": found["edge"]["high"],
            "n_fits": found["n_fits"],
            "not_converged": found["not_converged"],
        }
        for family, found in effort.items()
    ]
    columns = {"features": "features", "n_settings": "settings", "poolings": "poolings", "n_fits": "fits"}
    return tables.table(
        rows, columns | {"low": "C at the low end", "high": "C at the high end", "not_converged": "not converged"}
    )


def few_table(few: Mapping[str, Mapping]) -> tables.Html:
    """The smallest number of latents that suffices on validation, and what it costs on the test."""
    rows = []
    for title, found in few.items():
        size = "more than tried" if found["k"] is None else str(found["k"])
        row = {"set": title, "k": f"{size} (a tree does better)" if found["short"] else size}
        for name, part in zip(("first", "new"), found["parts"].values(), strict=False):
            row |= {f"{name}_few": part["few"], f"{name}_all": part["all"]}
            if part["interval"]:
                low, high = part["interval"]
                row[f"{name}_difference"] = numerals.with_interval(part["difference"], low, high, sign=True)
        rows.append(row)
    columns = {"set": "set", "k": "latents"}
    columns |= {"first_few": "few", "first_all": "all", "first_difference": "difference (95 %)"}
    if any("new_all" in row for row in rows):
        columns |= {"new_few": "few, new words", "new_all": "all, new words", "new_difference": "difference (95 %)"}
    return tables.table(rows, columns)


def latents_table(latents: Mapping[str, Sequence[TopLatent]], tracked: Mapping[str, str]) -> tables.Html:
    """The largest weights of each set's linear probe, each latent with the text on which it is most active."""
    rows = [
        {
            "set": title,
            "latent": latent.name.removeprefix("layer_"),
            "sign": "+" if latent.weight > 0 else "-",
            "class": latent.label,
            "tracks": tracked.get(latent.name),
            "text": tables.shorten(latent.examples[0]) if latent.examples else "",
        }
        for title, found in latents.items()
        for latent in found
    ]
    columns = {"set": "set", "latent": "latent", "sign": "sign", "class": "class"}
    tracks = {"tracks": "name (with the AUROC: the factor it tracks)"} if tracked else {}
    return tables.table(rows, {**columns, **tracks, "text": "most activating training text"})


def strength(row: Mapping) -> str:
    """`1e-5 (low)`: the chosen C, and the end of its grid where it is one."""
    if row["C"] is None:
        return ""
    mantissa, exponent = f"{row['C']:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}" + (f" ({row['edge']})" if row["edge"] else "")


def first_part(row: Mapping) -> Mapping:
    """The part that is the headline: familiar words, or the whole test."""
    return next(iter(row["parts"].values()))


def setting(row: Mapping) -> str:
    """`layer 0, 1k, max, > 0.5, tree`: what validation chose, as far as it applies."""
    parts = [
        None if row["layer"] is None else f"layer {row['layer']}",
        row["width"],
        row["pooling"],
        f"> {row['threshold']:.2g}" if row["binarized"] else None,
        "tree" if row["classifier"] == "tree" else None,
    ]
    return ", ".join(part for part in parts if part is not None)

"""The comparison as a reader wants it: one table, the latents behind the choice, what to be careful about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mosaic.probing.examine import top_latents
from mosaic.probing.problem import Problem, cautions
from mosaic.probing.said import best_linear, choices, differences
from mosaic.probing.selection import Result
from mosaic.progress import Progress
from mosaic.reporting.tables import shorten

if TYPE_CHECKING:
    from rich.table import Table

ROWS_A_FAMILY = 6


def print_comparison(console, problem: Problem, results: list[Result], names: Mapping[str, str] | None = None) -> None:
    """Print to the page of `output.console`: the scores, the paired comparison, the top latents, what to be careful of.

    names: {latent: its name}, of those that have one.
    """
    from rich.table import Table

    train, test = problem.train, problem.test
    with Progress("comparing"):
        paired = differences(problem, results)
        latents = _latents(problem, results, names or {})
    table = Table(
        title=f"{train.name}: {len(train)} training and {len(test)} test texts, {len(train.classes)} classes",
        title_justify="left",
        caption="* chosen on validation folds of the training set; intervals are 95 % bootstrap intervals over test rows",
        caption_justify="left",
    )
    for column in ("", "features", "layer", "width", "pooling", "binarized", "classifier"):
        table.add_column(column)
    others = list(test.part_rows())[1:]
    for column in ("validation", "macro-F1", "95 %", *others, "accuracy"):
        table.add_column(column, justify="right")
    families = list(dict.fromkeys(result.setting.features for result in results))
    for family in families:
        for result in [r for r in results if r.setting.features == family][:ROWS_A_FAMILY]:
            s, score = result.setting, result.score
            binarized = "" if not s.binarized else f"> {result.threshold:.3g}"
            layer = "" if s.layer is None else str(s.layer)
            mark = "*" if result.selected else ""
            table.add_row(
                mark, s.features, layer, s.width or "", s.pooling or "", binarized, s.classifier,
                f"{result.validation:.3f}", f"{score.macro_f1:.3f}", f"{score.low:.3f} - {score.high:.3f}",
                *(f"{result.parts[part].macro_f1:.3f}" for part in others), f"{score.accuracy:.3f}",
                style="bold" if result.selected else None,
            )  # fmt: skip
        table.add_section()
    console.print(table)
    hidden_rows = len(results) - sum(
        min(ROWS_A_FAMILY, sum(r.setting.features == f for r in results)) for f in families
    )
    if hidden_rows:
        console.print(f"{hidden_rows} more settings in the --json file.")
    for family, d in paired.items():
        console.print(
            f"SAE minus {family}: {d.difference:+.3f} macro-F1 ({d.low:+.3f} to {d.high:+.3f}, p = {d.p:.3g})"
        )
    console.print(latents)
    for caution in (*cautions(problem), *choices(results)):
        console.print(f"Caution: {caution}")


def _latents(problem: Problem, results: list[Result], names: Mapping[str, str]) -> Table:
    from rich.table import Table

    table = Table(title="Largest latents of the best linear SAE probe", title_justify="left", show_lines=False)
    for column in ("latent", "sign", "class", "weight", "most activating training texts"):
        table.add_column(column, overflow="fold")
    for latent in top_latents(problem, best_linear(results)):
        examples = "\n".join(shorten(example) for example in latent.examples)
        sign = "+" if latent.weight > 0 else "-"
        named = f"{latent.name}\n{names[latent.name]}" if latent.name in names else latent.name
        table.add_row(named, sign, latent.label, f"{latent.weight:+.3f}", examples)
    return table


def print_match(console, figures: dict) -> None:
    """One pair of SAEs: the figures beside chance, the threshold curve, what is proved."""
    from rich.table import Table

    alive, chance = figures["alive"], figures["chance"]
    table = Table(title=f"{figures['a']} ({figures['n_a']:,}) and {figures['b']} ({figures['n_b']:,})")
    table.add_column("figure")
    for heading in ("all latents", "alive only", *chance):
        table.add_column(heading, justify="right")
    labels = {
        "shared_fraction": f"shared (one partner, both cosines >= {figures['threshold']:g})",
        "equal_fraction": "equal (decoder and encoder find one partner)",
        "pw_mcc": "mean matched cosine of decoders (PW-MCC)",
        "pw_mcc_absolute": "the same, signs ignored",
        "mean_max_cosine": "mean cosine of the nearest decoder row",
    }
    for key, label in labels.items():
        others = [figures, alive or {}, *chance.values()]
        table.add_row(label, *(f"{row[key]:.3f}" if key in row else "" for row in others))
    console.print(table)
    curve = {t: v for t, v in figures["curve"].items() if round(float(t) * 10, 6) % 1 == 0}
    console.print("shared above a threshold:  " + "  ".join(f"{t} {v:.3f}" for t, v in curve.items()))
    if alive is None:
        console.print("alive only: not known, an SAE has no sparsity.safetensors (held-out firing)")
    if figures["one_sided"]:
        console.print(f"widths differ: {figures['one_sided']}")
    for side in "ab":
        if figures["invalid"][side]:
            console.print(
                f"{len(figures['invalid'][side])} latents of SAE {side.upper()} have a zero or non-finite row and are "
                "never matched"
            )
    proof = "proved best" if figures["exact"] else f"the sum of cosines can be off by at most {figures['gap']:.3g}"
    ties = f"; {figures['tied']} shared latents have an equally good partner" if figures["tied"] else ""
    console.print(f"{len(figures['pairs']):,} shared pairs; both matchings {proof}{ties}")

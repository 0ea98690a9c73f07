"""`mosaic train-end-to-end`, `train-recipes`: SAEs for two chapters, beside a profile's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import LARGEST, Device, Profile, check, listed
from mosaic.cli.output import print_rows, say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.saes.sweep import SeedGroup

app = typer.Typer()

Texts = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option(
        "--texts", help="Instead of the profile's: a .txt file of documents, or a labelled file's texts (repeatable)."
    ),
]


@app.command(
    "train-end-to-end", epilog="Example: mosaic train-end-to-end --profile stories260k --out build/saes/end_to_end"
)
def train_end_to_end(
    profile: Profile = "stories260k",
    out: Annotated[Path, typer.Option("--out", help="Folder for the SAEs and their card.")] = Path(
        "build/saes/end_to_end"
    ),
    texts: Texts = None,
    device: Device = "cpu",
) -> None:
    """Train a profile's SAEs of three losses: the residual stream, what the model says, and both (training: end_to_end:).

    All side by side, on the same documents in the same order, the language model frozen. The same command goes on where it was
    killed. Give the folder as `end_to_end:` in the profile, and chapter 26 reads it.
    """
    from mosaic.saes import end_to_end_training

    check(folder=out, device=device, inputs=(profile, *(texts or ())))
    from mosaic.models.splicing import open_with_head
    from mosaic.profiles.profile import load_profile
    from mosaic.saes.end_to_end_card import write_page
    from mosaic.saes.end_to_end_suite import check_suite

    chosen = load_profile(profile)
    suite = chosen.training.end_to_end if chosen.training else None
    if suite is None:
        raise MosaicError(
            f"profile {profile} has no `end_to_end` section under `training`, which says layer, width, lambdas and seeds; stories260k "
            "has one to copy. The miniature's SAEs are trained by `mosaic mini build --only end_to_end`."
        )
    check_suite(suite)
    documents = _documents(chosen, texts)
    lm = open_with_head(suite.cut(chosen.model), device)
    rows = end_to_end_training.train(lm, documents, suite.specs(), suite.run, out)
    write_page(rows, lm.spec.id, lm.spec.max_length, out)
    print_rows(rows, ["name", "tokens", "l0", "added_ce", "fvu", "alive"], f"trained into {out}")


@app.command("train-recipes", epilog="Example: mosaic train-recipes --profile stories260k --out build/saes/recipes")
def train_recipes(
    profile: Profile = "stories260k",
    out: Annotated[Path, typer.Option("--out", help="Folder for the SAEs and their card.")] = Path(
        "build/saes/recipes"
    ),
    seeds: Annotated[str, typer.Option("--seeds", help="Of every recipe; three or more of TopK's.")] = "0,1,2",
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, max=LARGEST, help="Activations a step: that of the TopK SAEs.")
    ] = 1024,
    data_seed: Annotated[
        int, typer.Option("--data-seed", min=0, max=LARGEST, help="Of the order of the texts: that of the TopK SAEs.")
    ] = 0,
    tokens: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--tokens", min=1, max=LARGEST, help="Those that the TopK SAEs saw (default: the sweep's base)."),
    ] = None,
    texts: Texts = None,
    device: Device = "cpu",
) -> None:
    """Train SAEs by other recipes (Llama Scope's, Matryoshka, archetypal) beside the profile's TopK SAEs of several seeds.

    Layer, width, k and tokens are those of the TopK SAEs (seeds:), the sweep's base or the variation of it with --tokens. The same command goes on where it was killed. Give the
    folder as `recipes:` in the profile, and chapter 27 reads it.
    """
    from mosaic.saes import lockstep, training

    check(folder=out, device=device, inputs=(profile, *(texts or ())), owned=lockstep.scratch(out))
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile
    from mosaic.saes.recipe import TrainRun, other_recipes
    from mosaic.saes.sweep import seed_groups
    from mosaic.studies.seeds import seed_rows

    chosen = load_profile(profile)
    sweep = seed_groups(seed_rows(chosen))
    row = _topk(sweep, tokens)
    if row["tokens"] % batch_size:
        raise MosaicError(
            f"the TopK SAEs saw {row['tokens']:,} tokens, which are not whole batches of {batch_size:,}: they were trained with "
            "another --batch-size. Give theirs."
        )
    # Where the sweep has BatchTopK SAEs of the same setting, the chapter reads those.
    batchtopk = row is not sweep[0].rows[0] or all(group.value != "batchtopk" for group in sweep)
    specs = other_recipes(row["layer"], row["width"], row["k"], listed(seeds, int, "--seeds", least=0), batchtopk)
    run = TrainRun(tokens=row["tokens"], batch_size=batch_size, seed=data_seed)
    rows = training.train(load_model(chosen, device), _documents(chosen, texts), specs, run, out)
    print_rows(rows, ["name", "tokens", "l0", "fvu", "dead"], f"trained into {out}")
    say(_same_batches(rows, row))


def _documents(profile, texts: Sequence[Path] | None) -> list[str]:
    """The user's own texts, or those of the profile. Raises MosaicError where there are neither."""
    from mosaic.texts.documents import read_documents, recipe_documents

    if texts:
        return read_documents(texts)
    if profile.training is None:
        raise MosaicError(f"profile {profile.name} has no `training` section. Give texts to train on: --texts FILE.")
    return recipe_documents(profile.training)


def _topk(sweep: Sequence[SeedGroup], tokens: int | None) -> dict:
    """The first TopK SAE of the sweep's base, or of the base's variation that saw so many tokens. Raises MosaicError for none."""
    from mosaic.studies.recipes_read import alike

    base = sweep[0].rows[0]
    found = alike(sweep, base if tokens is None else {**base, "tokens": tokens})
    if found is None:
        have = ", ".join(f"{g.rows[0]['architecture']} of {g.rows[0]['tokens']:,} tokens" for g in sweep)
        raise MosaicError(
            f"the SAEs of several seeds have no TopK of the base's layer, width and k{f' that saw {tokens:,} tokens' if tokens else ''}; "
            f"there are {have}. Train some with `mosaic train-sae --seeds 0,1,2`."
        )
    return found.rows[0]


def _same_batches(rows: Sequence[dict], base: dict) -> str:
    """Whether the new SAEs saw what the TopK SAEs saw, to the last bit."""
    if rows[0]["batches"] == base.get("batches"):
        return "All saw the same batches in the same order as the TopK SAEs, to the last bit."
    return (
        "All saw other batches than the TopK SAEs (or the same, computed by another processor): compare texts, --batch-size and "
        "--data-seed."
    )

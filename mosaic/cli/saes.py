"""`mosaic train-sae`, `match`: SAEs of one's own, and how far two agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import LARGEST, Device, Json, Layers, Profile, check, listed
from mosaic.cli.output import console, print_rows, save_json
from mosaic.errors import MosaicError

app = typer.Typer()


@app.command(
    "train-sae",
    epilog="Example: mosaic train-sae --profile mini --out saes --layers 3 --widths 512,1k --ks 8 --seeds 0,1,2",
)
def train_sae(
    profile: Profile = "minilm",
    out: Annotated[Path, typer.Option("--out", help="Folder for the SAEs and their card.")] = Path("build/saes"),
    texts: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--texts", help="A .txt file of documents, or a labelled file's texts (repeatable)."),
    ] = None,
    layers: Layers = None,
    widths: Annotated[Optional[str], typer.Option("--widths", help="Widths, such as 2k or 512,1k.")] = None,  # noqa: UP045
    tokens: Annotated[Optional[str], typer.Option("--tokens", help="Activations to train on.")] = None,  # noqa: UP045
    seeds: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--seeds",
            help="Initialisations to train from, on the same activations in the same order. With this option the first "
            "of --layers, --widths, --ks, --tokens and --architectures is the base; each other value is trained with "
            "that one thing changed.",
        ),
    ] = None,
    varied: Annotated[
        int, typer.Option("--varied", min=1, max=LARGEST, help="How many of the seeds each variation gets.")
    ] = 3,
    ks: Annotated[Optional[str], typer.Option("--ks", help="Active latents per token (with --seeds).")] = None,  # noqa: UP045
    architectures: Annotated[
        str,
        typer.Option(
            "--architectures",
            help="topk, batchtopk, standard, gated, jumprelu, llama_scope, matryoshka, archetypal (with --seeds).",
        ),
    ] = "topk",
    l1: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--l1", help="Weight of the L1 loss of each standard and gated architecture, in their order."),
    ] = None,
    data_seed: Annotated[int, typer.Option("--data-seed", min=0, max=LARGEST, help="Of the order of the texts.")] = 0,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=LARGEST, help="Activations a step.")] = 1024,
    device: Device = "cpu",
) -> None:
    """Train SAEs with SAELens, all on one activation stream, and measure them on held-out texts.

    Without --seeds the profile's own SAEs; with it a sweep for `mosaic match` and the chapters on stability.
    The same command goes on where it was killed.
    """
    from dataclasses import replace

    from mosaic.saes import lockstep, training

    check(folder=out, device=device, inputs=(profile, *(texts or ())), owned=lockstep.scratch(out))
    from mosaic.profiles.opening import load_model, select_saes
    from mosaic.profiles.plan import width_of
    from mosaic.profiles.profile import load_profile
    from mosaic.saes.recipe import SAESpec, TrainRun
    from mosaic.saes.sweep import Sweep
    from mosaic.texts.documents import read_documents, recipe_documents

    chosen = load_profile(profile)
    if chosen.training is None:
        raise MosaicError(
            f"profile {profile} has no `training` section; SAEs of minilm, mini and stories260k are trained here."
        )
    recipe = chosen.training
    lengths = listed(tokens, int, "--tokens", least=1) or [recipe.tokens]
    if seeds is not None:
        specs = Sweep(
            layers=tuple(listed(layers, int, "--layers", least=0) or [chosen.middle]),
            widths=tuple(width_of(width) for width in listed(widths, name="--widths") or [chosen.width]),
            ks=tuple(listed(ks, int, "--ks", least=1) or [recipe.k]),
            tokens=tuple(lengths),
            architectures=tuple(listed(architectures, name="--architectures")),
            l1=tuple(listed(l1, float, "--l1", least=0) or ()),
            seeds=tuple(listed(seeds, int, "--seeds", least=0)),
            varied=varied,
        ).specs()
    else:
        wanted = select_saes(
            chosen, listed(layers, int, "--layers", least=0), listed(widths, name="--widths"), seeds=None
        )
        specs = [
            SAESpec(source.layer, width_of(source.width), recipe.k, source.seed, recipe.architecture)
            for source in wanted
        ]
    documents = read_documents(texts) if texts else recipe_documents(recipe)
    run = replace(TrainRun(), tokens=lengths[0], seed=data_seed, batch_size=batch_size)
    rows = training.train(load_model(chosen, device), documents, specs, run, out)
    print_rows(rows, ["name", "tokens", "l0", "fvu", "dead"], f"trained into {out}")


@app.command(epilog="Example: mosaic match saes/layer_3_width_1k_seed_0 saes/layer_3_width_1k_seed_1 --json match.json")
def match(
    sae_a: Annotated[str, typer.Argument(help="A folder in SAELens's layout, or release/id of its registry.")],
    sae_b: Annotated[str, typer.Argument(help="The other one.")],
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=1, help="Least cosine of a shared latent.")
    ] = 0.7,
    baselines: Annotated[
        int, typer.Option("--baselines", min=1, max=LARGEST, help="Draws of every chance baseline.")
    ] = 1,
    json_out: Json = None,
    device: Device = "cpu",
) -> None:
    """How far two SAEs agree: shared latents, their pairs, the threshold curve, chance, and the proof."""
    check(file=json_out, device=device, inputs=(sae_a, sae_b))
    from mosaic.agreement import stability
    from mosaic.cli.printing import print_match
    from mosaic.saes.dictionary import load_dictionary

    pair = stability.match(load_dictionary(sae_a), load_dictionary(sae_b), device)
    figures = stability.summary(pair, threshold, baselines, device)
    print_match(console(), figures)
    save_json(json_out, figures)

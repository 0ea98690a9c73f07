"""`mosaic plan`, `rehearse`, `profiles`: what there is, and what it would cost, estimated or measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import LARGEST, Device, Profile
from mosaic.cli.output import print_rows, say, size
from mosaic.errors import MosaicError

app = typer.Typer()
PAPER = ("gemma-2-2b", "gemma-2-2b-1m", "gemma-2-9b", "gemma-2-9b-it", "gemma-2-9b-it-transfer")
MACHINES = (1, 8, 64)


@app.command(
    epilog="Example: mosaic plan --profile gemma-2-2b --texts 5000 --tokens 80; or: mosaic plan --all --measured gpu.json"
)
def plan(
    profile: Profile = "minilm",
    texts: Annotated[int, typer.Option("--texts", min=1, max=LARGEST, help="Number of texts.")] = 1000,
    tokens: Annotated[int, typer.Option("--tokens", min=1, max=LARGEST, help="Mean tokens a text.")] = 100,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Not --profile, but the paper's whole sweep: every Gemma 2 profile, all its sets, on 1, 8 and 64 machines.",
        ),
    ] = False,
    measured: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--measured",
            help="With --all: JSON of `benchmarks/gpu.py --json` from such a machine (default: this one's rate).",
        ),
    ] = None,
) -> None:
    """Estimate FLOPs, time, memory and disk before anything is downloaded."""
    if measured is not None and not every:
        raise MosaicError("--measured goes with --all, which prices the paper's sweep at that rate. Add --all.")
    if every:
        _plan_all(texts, tokens, measured)
        return
    from mosaic.profiles.opening import check_sets
    from mosaic.profiles.plan import estimate
    from mosaic.profiles.profile import load_profile

    chosen = load_profile(profile)
    check_sets(chosen)
    cost = estimate(chosen, texts, tokens)
    rows = [
        {"what": "FLOPs a token", "estimate": f"{cost.flops_per_token / 1e9:.3g} GFLOP"},
        {"what": "FLOPs in all", "estimate": f"{cost.flops / 1e12:.3g} TFLOP"},
        {"what": "matrix products here", "estimate": f"{cost.rate / 1e9:.0f} GFLOP/s (measured now, float32)"},
        {"what": "time", "estimate": _duration(cost.seconds)},
        {"what": "memory", "estimate": size(cost.memory)},
        {"what": "download, if not cached", "estimate": size(cost.disk_download)},
        {"what": "features on disk, at most about", "estimate": size(cost.disk_features)},
    ]
    print_rows(rows, ["what", "estimate"], f"{profile}: {texts} texts of {tokens} tokens")
    if chosen.vision:
        say("Of images the model's memory and download are counted here, not the time.")
    if chosen.larger:
        say(f"Chapter 5 reads the larger model, too, which is not counted here: mosaic plan --profile {chosen.larger}")


def _plan_all(texts: int, tokens: int, measured: Path | None) -> None:
    from mosaic.profiles.plan import EFFICIENCY, matmul_rate, measured_rate, sweep
    from mosaic.profiles.profile import load_profile

    device, rate, efficiency = "this machine", matmul_rate(), EFFICIENCY
    if measured is not None:
        (device, rate), efficiency = measured_rate(measured), 1.0
    found = [sweep(load_profile(name), texts, tokens, rate, MACHINES, efficiency) for name in PAPER]
    rows = [
        {"profile": one.profile, "jobs": one.sets + one.languages, "PFLOP": f"{one.flops / 1e15:,.1f}"}
        | {f"{n} machine{'s' * (n > 1)}": _duration(3600 * hours) for n, hours in one.hours.items()}
        | {"download": size(one.disk_download), "features on disk, at most": size(one.disk_features)}
        for one in found
    ]
    print_rows(rows, list(rows[0]), f"features, if each set had {texts:,} texts of {tokens} tokens in each language")
    say(f"{device}: {rate * efficiency / 1e12:.3g} TFLOP/s of the engine. A job: a set in one language.")
    say(
        f"All of them on one machine: {_duration(3600 * sum(one.hours[1] for one in found))}; probes and book are not in it."
    )


@app.command(epilog="Example: mosaic rehearse --profile gemma-2-2b --texts 40")
def rehearse(
    profile: Profile = "gemma-2-2b",
    texts: Annotated[int, typer.Option("--texts", min=2, max=LARGEST, help="Number of made-up texts.")] = 100,
    tokens: Annotated[int, typer.Option("--tokens", min=2, max=LARGEST, help="Mean tokens a text.")] = 100,
    device: Device = "cpu",
) -> None:
    """Run a profile at its true sizes with random weights: memory and speed measured here, nothing downloaded."""
    from mosaic.cli.options import check
    from mosaic.profiles.plan import estimate
    from mosaic.profiles.profile import load_profile
    from mosaic.studies.rehearsal import rehearse as run

    check(device=device)
    chosen = load_profile(profile)
    planned = estimate(chosen, texts, tokens)
    told = run(chosen, texts, tokens, device)
    seconds = sum(told.seconds.values())
    rows = [
        {
            "what": "time",
            "measured": _duration(seconds),
            "mosaic plan": _duration(planned.seconds * told.tokens / (texts * tokens)),
        },
        {"what": "memory at most", "measured": size(told.peak), "mosaic plan": size(planned.memory)},
        {"what": "tokens per second", "measured": f"{told.tokens_per_second:.0f}"},
        {"what": "before the first batch", "measured": _duration(told.loading)},
        *({"what": f"share of time: {stage}", "measured": f"{share:.0%}"} for stage, share in told.shares.items()),
    ]
    print_rows(rows, ["what", "measured", "mosaic plan"], f"{profile}: {texts} made-up texts, {told.tokens:,} tokens")


@app.command(epilog="Example: mosaic profiles")
def profiles() -> None:
    """List the profiles: model, layers, widths."""
    from mosaic.profiles.profile import load_profile, profile_names

    rows = []
    for name in profile_names():
        entry = load_profile(name)
        layers, widths = ", ".join(map(str, entry.layers)), ", ".join(entry.widths)
        rows.append({"profile": name, "model": entry.model.id, "layers": layers, "widths": widths, "what": entry.title})
    print_rows(rows, ["profile", "model", "layers", "widths", "what"], "profiles")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 200 * 3600 else f"{seconds / 86400:.0f} days"

"""`mosaic fetch`, `doctor`: everything a profile needs on this disk, and what would stop it here."""

from __future__ import annotations

from typing import Annotated

import typer

from mosaic.cli.options import Profile
from mosaic.cli.output import print_rows, say, size
from mosaic.progress import announce

app = typer.Typer()


@app.command(epilog="Example: mosaic fetch --profile gemma-2-2b --sizes")
def fetch(
    profile: Profile = "minilm",
    only_sizes: Annotated[bool, typer.Option("--sizes", help="Say what would be downloaded, and stop.")] = False,
) -> None:
    """Download everything a profile reads from the hub; an interrupted download goes on. Afterwards HF_HUB_OFFLINE=1 runs."""
    from mosaic.profiles import fetching
    from mosaic.profiles.profile import load_profile

    chosen = load_profile(profile)
    announce(f"asking the hub what {profile} needs")
    wanted = fetching.survey(chosen)
    if not wanted:
        say(f"{profile} reads nothing from the hub.")
        return
    rows = [
        {
            "what": one.what,
            "repository": one.repository.id,
            "files": one.files,
            "size": size(one.bytes),
            "missing": size(one.missing),
        }
        for one in wanted
    ]
    print_rows(rows, ["what", "repository", "files", "size", "missing"], f"{profile}: what it reads from the hub")
    missing = sum(one.missing for one in wanted)
    if only_sizes:
        say(f"{size(missing)} are not here yet.")
        return
    fetching.fetch(wanted, profile)
    say(f"All of {profile} is here ({size(missing)} fetched): it runs with HF_HUB_OFFLINE=1, too.")
    if chosen.larger:
        say(f"Chapter 5 reads the larger model, too, which is not counted here: mosaic fetch --profile {chosen.larger}")


@app.command(epilog="Example: mosaic doctor --profile gemma-2-2b")
def doctor(profile: Profile = "minilm") -> None:
    """Say, a line each, what would stop a profile here: versions, device, memory, token, hub (with its licences), disk."""
    from mosaic.profiles.diagnosis import examine
    from mosaic.profiles.profile import load_profile

    chosen = load_profile(profile)
    announce(f"looking at this machine, and asking the hub what {profile} needs")
    found = examine(chosen)
    rows = [{"what": one.what, "verdict": "ok" if one.fine else "STOPS", "found": one.found} for one in found]
    print_rows(rows, ["what", "verdict", "found"], f"{profile} on this machine")
    if not all(one.fine for one in found):
        raise typer.Exit(1)

"""What a reader takes along from a chapter: its notebook for Jupyter, not executed, and how its numbers are made again."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mosaic.reporting.notebooks import NEEDS

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def notebook(source: Path, profile: str) -> str:
    """A py:percent script as an .ipynb, for the profile; the same bytes from run to run."""
    import jupytext
    import nbformat

    text = source.read_text(encoding="utf-8")
    if text.startswith(NEEDS):
        text = text.split("\n", 1)[1]
    found = jupytext.reads(text, fmt="py:percent")
    for i, cell in enumerate(found.cells):
        cell["id"] = f"{source.stem}-{i}"
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = re.sub(r"(?m)^profile = .*$", f"profile = {json.dumps(profile)}", cell.source)
    found.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return nbformat.writes(found) + "\n"


def command(stem: str, profile: str) -> str:
    """What executes a chapter again, and records its numbers."""
    return f"mosaic reproduce --profile {profile} --only {stem}"


def minutes(executed: Path, stem: str) -> str | None:
    """How long the notebook took when it was last executed, in words; None where that is not known."""
    try:
        seconds = float(json.loads((executed / f"{stem}.json").read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return "less than a minute" if seconds < 45 else "a minute" if seconds < 90 else f"{seconds / 60:.0f} minutes"

"""What a reader takes along from a chapter: its notebook for Jupyter, not executed, and how its numbers are made again."""

from __future__ import annotations

import json
from pathlib import Path

from mosaic.reporting.exercises import notebook_of


def notebook(source: Path, profile: str) -> str:
    """A chapter as an .ipynb with its solutions, not executed, for the profile; the same bytes from run to run."""
    import nbformat

    return nbformat.writes(notebook_of(source, profile, solved=True)) + "\n"


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

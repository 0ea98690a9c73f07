"""Which commit a site was built from, and its date: of the commit, so that two builds of it are the same."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

CODE = ("mosaic", "notebooks", "book")  # whose changes make a site another one than its commit's


def revision(folder: Path = Path()) -> tuple[str, str]:
    """(commit, date): `1a2b3c4`, with "and changes" where the code differs from it, and `2026-11-29`; empty outside git.

    SOURCE_DATE_EPOCH, where it is set and not 0, has the last word over the date.
    """
    commit, _, date = _git(folder, "log", "-1", "--format=%h %cs").partition(" ")
    if commit and _git(folder, "status", "--porcelain", "--", *CODE):
        commit += " and changes"
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if epoch.isdigit() and int(epoch):
        date = datetime.fromtimestamp(int(epoch), tz=UTC).date().isoformat()
    return commit, date


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()

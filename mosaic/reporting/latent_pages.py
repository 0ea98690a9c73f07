"""The explorer beside the book: `mosaic explore` run once for a state of profile and package, then copied into each site.

Where the pages cannot be made (a model that is not on this machine, no texts), the place that the book links to says so.
"""

from __future__ import annotations

import hashlib
import html
import logging
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.profiles.opening import PACKAGE
from mosaic.profiles.profile import load_profile
from mosaic.reporting.fingerprint import fingerprint

log = logging.getLogger("mosaic")
NAME, STAMP = "explorer", "made_of"
BUG = "this is a bug in mosaic"
WITHOUT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>No pages of latents</title>
<style>:root {{ color-scheme: light dark; }} body {{ font: 1.1rem/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem; }}</style>
</head>
<body>
<h1>No pages of latents</h1>
<p>They could not be made when this book was built: {reason}</p>
<p><a href="../index.html">The book</a></p>
</body>
</html>
"""


@dataclass(frozen=True)
class Made:
    """folder: of the pages. missing: why there are none, where there are none."""

    folder: Path
    missing: str | None = None


def make(profile_path: str, build: Path, every: bool = False) -> Made:
    """The pages of the profile's main SAE, or of every one, made once for its state. Raises MosaicError for a bug alone.

    Pages of every SAE that were made before, of the same state, serve for the main one too.
    """
    profile = load_profile(profile_path)
    made = build / NAME / profile.name
    whole, state = (_state(profile, each).encode() for each in (True, every))
    if not (made / STAMP).is_file() or (made / STAMP).read_bytes() not in (whole, state):
        (made / STAMP).unlink(missing_ok=True)
        if (reason := _refused(profile_path, made, every)) is not None:
            log.warning("the site has no pages of latents: %s", reason)
            shutil.rmtree(made, ignore_errors=True)  # what was linked would not be there
            return Made(made, reason)
        write_atomically(made / STAMP, state)
    return Made(made)


def add(made: Made, rendered: Path) -> None:
    """Put the pages at rendered/explorer, or the reason why there are none."""
    if made.missing is None:
        shutil.copytree(made.folder, rendered / NAME, dirs_exist_ok=True, ignore=shutil.ignore_patterns(STAMP))
    else:
        page = WITHOUT.format(reason=html.escape(made.missing))
        write_atomically(rendered / NAME / "index.html", page.encode())


def _state(profile, every: bool) -> str:
    digest = hashlib.sha256(f"{every} {fingerprint(profile)}".encode())
    for path in sorted(path for path in (PACKAGE / NAME).rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _refused(profile_path: str, folder: Path, every: bool) -> str | None:
    """Why there are no pages; None where they were made."""
    command = [sys.executable, "-m", "mosaic", "explore", "--profile", profile_path, "--out", str(folder)]
    command += ["--all"] if every else []
    done = subprocess.run([*command, "--home", "../index.html"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    if not done.returncode:
        return None
    said = done.stderr.decode("utf-8", "replace").rpartition("error: ")[2].strip()
    if BUG in said or not said:
        raise MosaicError(f"the pages of latents cannot be made: {said or f'the command ended with {done.returncode}'}")
    return said

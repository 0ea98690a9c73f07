"""What results/ held before this clone's own runs: kept under build/recorded/ when a run first replaces a file.

A digest of everything that runs here write stands in build/recorded/<profile>/written_here.txt. A file that is about to be
replaced and whose digest is not there came from elsewhere (it was shipped, or pulled since) and is kept; one of our own
making never takes its place, until `mosaic results keep` says that it should. No git is needed, and a killed run changes nothing: the digest is noted before the file is
written.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from mosaic.files import write_atomically

KEPT = Path("build") / "recorded"
LEDGER = "written_here.txt"


def keep(path: Path, content: bytes) -> None:
    """Called before `content` replaces results/<profile>/<name>.json: keeps what stands there, unless a run here wrote it."""
    folder = KEPT / path.parent.name
    ledger = folder / LEDGER
    written = ledger.read_text(encoding="utf-8").split() if ledger.is_file() else []
    if path.is_file():
        standing = path.read_bytes()
        if _digest(standing) not in written:
            write_atomically(folder / path.name, standing)
    if _digest(content) not in written:
        folder.mkdir(parents=True, exist_ok=True)
        with ledger.open("a", encoding="utf-8") as file:
            file.write(_digest(content) + "\n")


def keep_all(profile: str, results: Path) -> list[str]:
    """What stands in results/<profile>/ is the recorded run from here on. Returns the studies."""
    files = sorted((results / profile).glob("*.json"))
    if not files:  # nothing takes the place of what is kept
        return []
    for old in (KEPT / profile).glob("*.json"):
        old.unlink()
    for path in files:
        write_atomically(KEPT / profile / path.name, path.read_bytes())
    return [path.stem for path in files]


def kept(profile: str) -> Path:
    """The folder of a profile's kept files; it may not exist."""
    return KEPT / profile


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

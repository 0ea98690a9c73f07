"""A folder of pages that open without a server: the page, its data as scripts that call one function, each named by its content.

    index.html  explorer.js  explorer.css      the page, as it is in the package
    data/index.js                              which SAEs, and the files of each
    data/pages.json                            {SAE: numbers of the latents that have a page}, for those who link
    data/<hash>.js                             one SAE's list, or the records of PER_SHARD latents

A browser lets a file:// page run scripts of its folder but fetch nothing, hence scripts. index.js is written last; files that no
index names any more are removed then, so that whoever looks finds the old pages or the new ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.explorer.panels import row
from mosaic.files import explained, write_atomically

PER_SHARD = 16  # latents
MOST = 12_000  # bytes of one latent's record
PAGE = ("index.html", "explorer.js", "explorer.css")
MARK = '<meta name="generator" content="mosaic explore">'


def check_own(folder: Path) -> None:
    """Raises MosaicError for a folder whose index.html is somebody else's."""
    page = folder / "index.html"
    if page.is_file() and MARK not in page.read_text(encoding="utf-8", errors="replace"):
        raise MosaicError(f"{folder} has an index.html that `mosaic explore` did not write. Name another folder.")


def write_sae(folder: Path, key: str, records: Iterable[Mapping], beside: Iterable[Mapping] = ()) -> dict:
    """Write one SAE's records, as they come, its list, and the random dictionary's records that stand beside them.

    Returns {"numbers": of latents, "list": file, "shards": [[first latent, file] ...], "random": [the same of those beside], "n"}.
    """
    rows, shards = _written(folder, key, records)
    _, random = _written(folder, f"{key}/random", beside)
    numbers = [one[0] for one in rows]
    return {
        "numbers": numbers,
        "list": _script(folder, "list", key, rows),
        "shards": shards,
        "random": random,
        "n": len(rows),
    }


def _written(folder: Path, key: str, records: Iterable[Mapping]) -> tuple[list, list]:
    """(lines of the list, shards)."""
    rows, shards, held = [], [], []
    for record in records:
        rows.append(row(record))
        held.append(fitted(record))
        if len(held) == PER_SHARD:
            shards.append(_shard(folder, key, held))
            held = []
    if held:
        shards.append(_shard(folder, key, held))
    return rows, shards


def write_page(folder: Path, index: Mapping) -> Path:
    """Write the page and, last, the index. Returns the page's index.html. index: {"title", "saes": [{"key", "list", ...}], ...}, of each
    SAE what `write_sae` gave."""
    page = files("mosaic.explorer") / "page"
    for name in PAGE:
        write_atomically(folder / name, (page / name).read_bytes())
    write_atomically(folder / "data" / "pages.json", _json({sae["key"]: sae["numbers"] for sae in index["saes"]}))
    saes = [{key: value for key, value in sae.items() if key != "numbers"} for sae in index["saes"]]
    write_atomically(folder / "data" / "index.js", _call("index", {**index, "saes": saes}))
    kept = {
        name for sae in index["saes"] for name in (sae["list"], *(file for _, file in [*sae["shards"], *sae["random"]]))
    }
    with explained(folder):
        for path in (folder / "data").iterdir():
            if re.fullmatch(r"[0-9a-f]{20}\.js", path.name) and path.name not in kept:
                path.unlink()
    return folder / "index.html"


def fitted(record: Mapping) -> dict:
    """The record within MOST bytes: of too many contexts every other one goes, of too many classes the last sets."""
    record = dict(record)
    while _size(record) > MOST and (record["contexts"] or record["classes"]):
        long = max(("contexts", "classes"), key=lambda part: _size(record[part]))
        record[long] = record[long][::2] if long == "contexts" and len(record[long]) > 1 else record[long][:-1]
    return record


def _size(value) -> int:
    return len(_json(value))


def _shard(folder: Path, key: str, records: list) -> list:
    return [records[0]["n"], _script(folder, "latents", key, records)]


def _script(folder: Path, function: str, *arguments) -> str:
    """The name of the file written."""
    content = _call(function, *arguments)
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.js"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    if not (folder / "data" / name).is_file():
        write_atomically(folder / "data" / name, content)
    return name


def _call(function: str, *arguments) -> bytes:
    return f"mosaic.{function}(".encode() + b",".join(_json(one) for one in arguments) + b");\n"


def _json(value) -> bytes:
    # Half of a surrogate pair, which a broken text may hold, is no UTF-8.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")

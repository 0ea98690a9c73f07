"""The files of Neuronpedia's public export: found in a folder or downloaded, and read line by line.

    v1/MODEL/SOURCE/explanations/batch-0.jsonl.gz, batch-1.jsonl.gz, ...     one explanation a line
    v1/MODEL/SOURCE/features/batch-0.jsonl.gz, ...                            one latent a line, with how often it fires

(docs.neuronpedia.org, Exports.) No file is ever whole in memory, no line of more than LONGEST_LINE bytes is read, and nothing but
JSON is.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mosaic.errors import MosaicError, Unavailable

ENDINGS = (".jsonl", ".jsonl.gz")
EXPLANATIONS, FEATURES = "explanations", "features"
LONGEST_LINE = 16 * 2**20  # bytes; a latent's whole decoder row may stand in one
PIECE = 2**20
BATCHES = 10_000  # of one SAE: more than any has
LARGEST_FILE = 2**32  # bytes
GZIP = b"\x1f\x8b"
ANEW = "Copy or download it once more."


@dataclass(frozen=True)
class Line:
    """One object of a file. where: FILE, line N."""

    where: str
    row: dict


@dataclass(frozen=True)
class Export:
    """name: as it is recorded. explanations, features: files of either kind; features may be none."""

    name: str
    explanations: tuple[Path, ...]
    features: tuple[Path, ...]


def find(path: Path) -> Export:
    """The export's files at a file, at a folder of them, or at the folder of a source, which has one of explanations.

    The folder `features` beside a folder of explanations is read too. Raises MosaicError where there is no such file, or one stands
    there twice.
    """
    if path.is_file():
        if not path.name.endswith(ENDINGS):
            raise MosaicError(f"{path} is no file of Neuronpedia's export; names end in {' or '.join(ENDINGS)}.")
        return Export(path.name, (path,), _features_beside(path.absolute().parent))
    if not path.is_dir():
        raise MosaicError(f"{path} is neither a file nor a folder. Name a file of Neuronpedia's export, or its folder.")
    folder = path / EXPLANATIONS if (path / EXPLANATIONS).is_dir() else path
    found = _files(folder)
    if not found:
        raise MosaicError(
            f"{folder} holds no file that ends in {' or '.join(ENDINGS)}. Name the folder of explanations of an SAE, or the one that "
            f"holds it as {EXPLANATIONS}/."
        )
    return Export(path.resolve().name, found, _features_beside(folder.absolute()))


def _features_beside(folder: Path) -> tuple[Path, ...]:
    """Files of the features beside a folder of explanations, which may be of one explainer: explanations-gpt-4o-mini."""
    return _files(folder.parent / FEATURES) if folder.name.startswith(EXPLANATIONS) else ()


def _files(folder: Path) -> tuple[Path, ...]:
    """Files of the export in a folder, batch-2 before batch-10; none where there is no such folder."""
    if not folder.is_dir():
        return ()
    found = [path for path in folder.iterdir() if path.name.endswith(ENDINGS) and not path.name.startswith(".")]
    by_stem: dict[str, Path] = {}
    for path in sorted(found, key=lambda path: (len(path.name.removesuffix(".gz")), path.name)):
        if (other := by_stem.setdefault(path.name.removesuffix(".gz"), path)) != path:
            raise MosaicError(f"{other} and {path.name} are one file, packed and unpacked. Remove one.")
    return tuple(by_stem.values())


def lines(path: Path) -> Iterator[Line]:
    """The objects of a file, one after the other; empty lines are passed over.

    Raises MosaicError, with the line's number, for a file that ends too early, is not what its name says or is not UTF-8, a line
    that is too long or not a JSON object.
    """
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
            while content := file.readline(LONGEST_LINE + 1):
                number += 1
                where = f"{path}, line {number}"
                if len(content) > LONGEST_LINE:
                    raise MosaicError(
                        f"{where} has more than {LONGEST_LINE >> 20} MiB: this is no file of Neuronpedia's export."
                    )
                if content.strip():
                    yield Line(where, _object(where, content))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MosaicError(f"{path} is cut off or damaged after line {number} ({error}). {ANEW}") from error
    except OSError as error:
        raise MosaicError(f"{path} cannot be read ({error.strerror or error}). Check its permissions.") from error


def _object(where: str, content: bytes) -> dict:
    try:
        row = json.loads(content)
    except UnicodeDecodeError as error:
        raise MosaicError(f"{where} is not UTF-8 ({error.reason} at byte {error.start}). {ANEW}") from error
    except (ValueError, RecursionError) as error:
        raise MosaicError(f"{where} is not JSON ({str(error) or type(error).__name__}). {ANEW}") from error
    if not isinstance(row, dict):
        raise MosaicError(f"{where} holds a {type(row).__name__}, not an object. {ANEW}")
    return row


def is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def download(url: str, folder: Path) -> Export:
    """One file of the export, or, of an address that ends in /, every batch of its explanations and features.

    Batches count from 0; the first that is not there is past the last. Raises MosaicError for an address that cannot be one, and
    Unavailable for a server that refuses, is not there, or says nothing within the hub's time limit (HF_HUB_DOWNLOAD_TIMEOUT).
    """
    parts = urlsplit(url)
    name = parts.path.rstrip("/").rpartition("/")[2]
    if not parts.hostname or parts.query or not name:
        raise MosaicError(f"{url} is no address of a file or folder of the export. Leave out what stands after ? or #.")
    if not url.endswith("/"):
        if not name.endswith(ENDINGS):
            raise MosaicError(f"{url} ends neither in {' nor '.join(ENDINGS)}, nor in /, as a folder's address does.")
        target = folder / name
        if not _fetch(url, target):
            raise Unavailable(f"{url} is not there (status 404). Check the address.")
        return Export(url, (target,), ())
    base = url if not name.startswith(EXPLANATIONS) else url.rstrip("/").rpartition("/")[0] + "/"
    kind = name if name.startswith(EXPLANATIONS) else EXPLANATIONS
    found = _batches(f"{base}{kind}/", folder / EXPLANATIONS)
    if not found:
        raise Unavailable(f"{base}{kind}/ has no batch-0.jsonl.gz. Check the address.")
    return Export(url, found, _batches(f"{base}{FEATURES}/", folder / FEATURES))


def _batches(url: str, folder: Path) -> tuple[Path, ...]:
    from mosaic.progress import Progress

    found: list[Path] = []
    with Progress(f"downloading {url}", unit="files") as progress:
        for number in range(BATCHES):
            target = folder / f"batch-{number}.jsonl.gz"
            if not _fetch(f"{url}{target.name}", target):
                return tuple(found)
            found.append(target)
            progress.advance(1)
    raise Unavailable(f"{url} gives more than {BATCHES:,} batches: this is no folder of the export. Check the address.")


def _fetch(url: str, target: Path) -> bool:
    """Download a file; False where the server does not have it (404)."""
    from mosaic.hub.requests import patiently

    def once() -> bool:
        import httpx2

        from mosaic.hub.requests import time_limit

        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            httpx2.Client(timeout=time_limit(), follow_redirects=False) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code == 404:
                return False
            if response.status_code != 200:
                raise Unavailable(
                    f"{url} is not given (status {response.status_code}). Check the address, or try later."
                )
            size = 0
            with open(target, "wb") as file:
                for piece in response.iter_raw(PIECE):
                    if not size and target.suffix == ".gz" and not piece.startswith(GZIP):
                        raise Unavailable(
                            f"{url} is no gz file: the server answers with something else. Check the address."
                        )
                    size += len(piece)
                    if size > LARGEST_FILE:
                        raise Unavailable(
                            f"{url} has more than {LARGEST_FILE >> 30} GiB: no file of the export has. Check the address."
                        )
                    file.write(piece)
        return True

    with _told(url):
        return patiently(once)


@contextmanager
def _told(url: str) -> Iterator[None]:
    import httpx2

    try:
        yield
    except httpx2.TimeoutException as error:
        raise Unavailable(
            f"{url}: nothing was said within the time limit. HF_HUB_DOWNLOAD_TIMEOUT waits longer."
        ) from error
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise Unavailable(
            f"{url} cannot be had ({error}). Check the address and the network, or download it by hand."
        ) from error

"""What runs the model in the browser: two npm packages of known versions, each checked byte by byte before it is used.

`npm pack` fetches a package's archive from wherever this machine's npm is set to; its SHA-512 must be the one below, which
npm calls its integrity. Of an archive only the files that the page loads are taken, with their licences.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import write_atomically

SECONDS = 300  # that a download may take
IMPATIENT = (
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=60000",
)  # without a network, say so soon
log = logging.getLogger("mosaic")


@dataclass(frozen=True)
class Package:
    """An npm package. integrity: SHA-512 of its archive, base64. files: {path in it: name beside the page}."""

    name: str
    version: str
    integrity: str
    files: dict[str, str]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"


PACKAGES = (
    Package(
        "onnxruntime-web",
        "1.30.0",
        "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        {
            "package/dist/ort.wasm.min.mjs": "ort.wasm.min.mjs",
            "package/dist/ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.mjs",
            "package/dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
        },
    ),
    Package(
        "@huggingface/tokenizers",
        "0.2.0",
        "LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg==",
        {
            "package/dist/tokenizers.min.mjs": "tokenizers.min.mjs",
            "package/LICENSE": "tokenizers.LICENSE",
        },
    ),
)


class Missing(MosaicError):
    """The runtime cannot be had here: no npm, or npm cannot reach its registry."""


def runtime(cache: Path) -> Path:
    """The folder of the runtime's files, fetched where the cache has none.

    Raises Missing where npm is not here or cannot fetch, MosaicError where an archive is not the one that is known.
    """
    key = hashlib.sha256(repr(PACKAGES).encode()).hexdigest()[:12]
    folder = cache / "playground" / f"runtime-{key}"
    wanted = [name for package in PACKAGES for name in package.files.values()]
    if not all((folder / name).is_file() for name in wanted):
        for package in PACKAGES:
            for name, content in unpacked(fetched(package), package).items():
                write_atomically(folder / name, content)
    return folder


def fetched(package: Package) -> bytes:
    """A package's archive, by npm. Raises Missing where that cannot be done."""
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed (Debian: apt-get install nodejs npm).")
    with tempfile.TemporaryDirectory() as place:
        command = [npm, "pack", f"{package.name}@{package.version}", "--silent", "--ignore-scripts", *IMPATIENT]
        try:
            done = subprocess.run(
                command,
                cwd=place,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"npm could not fetch {package.label}: {type(error).__name__}.") from error
        archives = sorted(Path(place).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise Missing(f"npm could not fetch {package.label} (is there a network?); `npm ping` tells why.")
        return archives[0].read_bytes()


def unpacked(archive: bytes, package: Package) -> dict[str, bytes]:
    """{name: content} of a package's files. Raises MosaicError where the archive's hash is another, or a file is not in it."""
    import io

    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != package.integrity:
        raise MosaicError(
            f"the archive of {package.label} has sha512 {found}, expected {package.integrity}: it is not the one that was "
            "published. Nothing of it is used."
        )
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for path, name in package.files.items():
            try:
                files[name] = tar.extractfile(path).read()
            except (KeyError, AttributeError) as error:
                raise MosaicError(f"{package.label} has no file {path}; its layout has changed.") from error
    return files

"""Notebooks executed by papermill and cleaned for readers; one whose code would give the same again is not run.

A notebook is a py:percent script. Its first line may say what it asks of a profile: `# needs: truth, sweep`. Where only
its prose changed, the new prose is put around the outputs that still hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.profiles.opening import lacking
from mosaic.profiles.profile import Profile, load_profile
from mosaic.progress import Progress
from mosaic.reporting import results

if TYPE_CHECKING:
    from traitlets.config import Config

NEEDS = "# needs: "
UNCHANGED, RETOLD = "unchanged", "only the prose changed"
RUN_BY = {"skip-execution", "injected-parameters"}  # tags by which a cell is run in another way
LONGEST_ADDRESS = 96  # bytes; a socket's name may have 103 (macOS) with the number that is added to it


def needs(source: Path) -> list[str]:
    """What a notebook asks of a profile, by its first line, `# needs: truth, sweep`."""
    first = source.read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix(NEEDS).split(", ") if first.startswith(NEEDS) else []


def applies(source: Path, profile: Profile) -> bool:
    """Whether a notebook can run on a profile."""
    return not lacking(profile, needs(source))


def run_notebook(source: Path, parameters: Mapping[str, str], folder: Path, shared: str) -> str:
    """Execute one notebook into `folder` unless it is up to date; returns what happened in a few words.

    parameters: "profile" and others; one that the notebook does not have is not handed over, save the profile.
    shared: the fingerprint of all that notebooks depend on. Raises MosaicError with the failing cell's error; the
    notebook up to there stays as NAME.running.ipynb.
    """
    executed = folder / f"{source.stem}.ipynb"
    if up_to_date(source, parameters, folder, shared):
        told = retold(source, parameters, executed)
        if told == executed.read_bytes():
            return UNCHANGED
        write_atomically(executed, told)
        return RETOLD
    folder.mkdir(parents=True, exist_ok=True)
    profile = load_profile(parameters["profile"]).name
    start, key = (
        time.monotonic(),
        _key(source, parameters, shared),
    )  # of what is run, should the script change meanwhile
    write_atomically(executed, _executed(source, parameters, folder))
    # A notebook records under its own name without the number (05_layers: layers.json); others may run beside it.
    path = results.FOLDER / profile / f"{source.stem.split('_', 1)[1]}.json"
    written = {str(path): _digest(path)} if path.is_file() else {}
    seconds = round(time.monotonic() - start, 1)  # what the site says of it; nothing hangs on it
    kept = {"key": key, "results": written, "seconds": seconds}
    write_atomically(folder / f"{source.stem}.json", json.dumps(kept, indent=1, sort_keys=True).encode())
    return f"{seconds:.0f} s"


def up_to_date(source: Path, parameters: Mapping[str, str], folder: Path, shared: str) -> bool:
    """Whether the outputs in `folder` are those that `run_notebook` would make, and what was recorded is as it left it."""
    from nbformat import ValidationError

    key_file = folder / f"{source.stem}.json"
    if not (folder / f"{source.stem}.ipynb").exists() or not key_file.exists():
        return False
    try:
        kept = json.loads(key_file.read_text(encoding="utf-8"))
        same = all(_digest(Path(path)) == digest for path, digest in kept["results"].items())
        same = same and kept["key"] == _key(source, parameters, shared)
        return same and bool(retold(source, parameters, folder / f"{source.stem}.ipynb"))
    except (ValueError, KeyError, TypeError, AttributeError, OSError, ValidationError):
        return False


def _key(source: Path, parameters: Mapping[str, str], shared: str) -> str:
    """Hash of all that decides a notebook's outputs."""
    cells = [(cell.source, set(cell.metadata.get("tags", []))) for cell in _code(opened(source))]
    code = [[text, "parameters" in tags, *sorted(tags & RUN_BY)] for text, tags in cells]
    return hashlib.sha256(json.dumps([shared, dict(parameters), code], sort_keys=True).encode()).hexdigest()


def retold(source: Path, parameters: Mapping[str, str], executed: Path) -> bytes:
    """The notebook with its prose as the script has it now, and the outputs of `executed`, of the same code.

    Raises ValueError where they are of other code: a run that was interrupted, or a script that changed during it.
    """
    import nbformat

    notebook = clean(opened(source), parameters)
    ran = _code(nbformat.reads(executed.read_text(encoding="utf-8"), as_version=4))
    for cell, done in zip(_code(notebook), ran, strict=True):
        if cell.source != done.source:
            raise ValueError(f"{executed} has the outputs of other code")
        cell.outputs = done.outputs
    return nbformat.writes(clean(notebook, parameters)).encode()


def opened(source: Path):
    """A script as a notebook, without the line that says what it needs; nothing of it has run."""
    import jupytext

    text = source.read_text(encoding="utf-8")
    notebook = jupytext.reads(text.split("\n", 1)[1] if needs(source) else text, fmt="py:percent")
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"{source.stem}-{i}"
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _executed(source: Path, parameters: Mapping[str, str], folder: Path) -> bytes:
    """The notebook, executed and cleaned."""
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    plain, running = folder / f".{source.stem}.in.ipynb", folder / f"{source.stem}.running.ipynb"
    nbformat.write(opened(source), plain)
    known = papermill.inspect_notebook(str(plain))
    if "profile" not in known:  # papermill itself only prints a warning
        raise MosaicError(f"{source} has no parameter profile: give it a cell tagged `parameters`.")
    given = {name: value for name, value in parameters.items() if name in known}
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    watched = sys.stderr.isatty()
    try:
        with contextlib.nullcontext() if watched else Progress(source.stem), _sockets() as config:
            papermill.execute_notebook(
                str(plain),
                str(running),
                given,
                kernel_name="python3",
                progress_bar=watched,
                extra_arguments=["--log-level=CRITICAL"],  # what the kernel says of itself is not for the reader
                config=config,
            )
    except PapermillExecutionError as error:
        raise MosaicError(
            f"{source} failed: {error.ename}: {error.evalue} (the notebook up to there: {running})"
        ) from error
    finally:
        plain.unlink(missing_ok=True)
    cleaned = clean(nbformat.read(running, as_version=4), given)
    running.unlink()
    return nbformat.writes(cleaned).encode()


@contextlib.contextmanager
def _sockets() -> Iterator[Config]:
    """Where the kernel is spoken to: sockets in a folder of its own, so that no two kernels ever share an address.

    A TCP port is chosen before the kernel binds it, and whatever runs beside may take it first ("Address already in
    use": the kernel dies). Where the system has no such sockets, or the folder's name is too long for one, TCP it is.
    """
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="mosaic-") as folder:
        address = os.path.join(folder, "kernel")
        fits = os.name == "posix" and len(os.fsencode(address)) < LONGEST_ADDRESS
        yield Config({"KernelManager": {"transport": "ipc", "ip": address}} if fits else {})


def clean(notebook, parameters: Mapping[str, str]):
    """What a reader should see: parameter values in the visible cell, nothing of papermill, times or paths."""
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            continue
        if "parameters" in tags:
            for name, value in parameters.items():
                cell.source = re.sub(rf"(?m)^{name}\s*=.*$", lambda _, n=name, v=value: f"{n} = {v!r}", cell.source)
        cell.metadata = {"tags": tags} if tags else {}
        cells.append(cell)
    notebook.cells = cells
    for i, cell in enumerate(_code(notebook)):
        cell.execution_count = i + 1
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = i + 1
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""

"""A repository's files on this disk, at one commit.

Downloading, resuming, checking sizes and sharing the cache between processes is the hub's own library's work; nothing
half written is ever among the files that it gives.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from mosaic.errors import Unavailable
from mosaic.hub.refusals import NoSuchRevision, refused
from mosaic.hub.repository import Repository
from mosaic.hub.requests import limit_requests, patiently, time_limit
from mosaic.progress import Progress

log = logging.getLogger("mosaic")
MEGABYTE = 1_000_000


def snapshot(repository: Repository, progress: Progress | None = None) -> Path:
    """The folder of a repository's files: those that are not here are downloaded, an interrupted download goes on.

    Where the hub does not give them, or HF_HUB_OFFLINE is set, the files that are here, if they are complete; that is said
    once. progress: told of every megabyte; None: one of its own. Raises Unavailable, naming the status and the cure.
    """
    heard = limit_requests()
    if _away() and (folder := _here(repository)) is not None:
        return folder
    start, answers = time.monotonic(), heard.answers
    try:
        with contextlib.ExitStack() as stack:
            told = progress or stack.enter_context(Progress(f"fetching {repository.id}", unit="MB"))
            folder = Path(_asked(repository, tqdm_class=_counting(told)))
    except Unavailable as error:
        folder = None if isinstance(error, NoSuchRevision) else _here(repository)
        if folder is None:
            raise
        _go_without(str(error))
    else:
        if heard.answers == answers and time.monotonic() - start >= time_limit():
            _go_without(f"the hub said nothing for {time_limit()} s")  # the library itself took what is here
    return folder


def sizes(repository: Repository) -> dict[str, tuple[int, bool]]:
    """{file: (its bytes, whether it is here)} of what `snapshot` would give. Raises Unavailable as it does."""
    limit_requests()
    try:
        found = _asked(repository, tqdm_class=_counting(None), dry_run=True)
    except Unavailable:
        if (folder := _here(repository)) is None:
            raise
        paths = [path for path in folder.rglob("*") if path.is_file()]
        names = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
        wanted = _filtered(names, repository)
        return {name: (names[name], True) for name in wanted}
    return {file.filename: (file.file_size or 0, file.is_cached) for file in sorted(found, key=lambda f: f.filename)}


@cache
def _away() -> list[str]:
    """Why this process asks no more: it once asked in vain, and found here what it wanted. Else it would wait each time."""
    return []


def _go_without(why: str) -> None:
    if not _away():
        _away().append(why)
        log.warning("what was fetched before is read, and the hub not asked again: %s", why)


def _here(repository: Repository) -> Path | None:
    """The folder of the repository's files, where all of them are on this disk: nobody is asked."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(**_arguments(repository), local_files_only=True))
    except (OSError, ValueError):
        return None


def _filtered(names: Iterable[str], repository: Repository) -> list[str]:
    from huggingface_hub.utils import filter_repo_objects

    patterns = {"allow_patterns": list(repository.files), "ignore_patterns": list(repository.ignored) or None}
    return sorted(filter_repo_objects(names, **patterns))


@contextlib.contextmanager
def explained(repository: Repository) -> Iterator[None]:
    """Turns what the hub's libraries raise into one error that says what to do."""
    import httpx2
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL, ImportError, HFValidationError, OSError) as error:
        raise refused(error, repository) from error


def _asked(repository: Repository, **more):
    """What the hub's library gives. Raises Unavailable, also for an answer that it cannot read, as a network's login page."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError

    arguments = {**_arguments(repository), **more}
    try:
        with explained(repository):
            return patiently(lambda: snapshot_download(**arguments))
    except HFValidationError:
        raise
    except UnicodeEncodeError as error:
        raise Unavailable("the token (HF_TOKEN) holds letters that no token has. Set it anew, or unset it.") from error
    except (ValueError, AttributeError, AssertionError, KeyError, TypeError, RuntimeError) as error:
        raise Unavailable(
            f"what answers at {constants.ENDPOINT} does not answer as the hub does ({error}). Is it a login page of this "
            "network? Open it in a browser, or check HF_ENDPOINT and the proxy (HTTPS_PROXY)."
        ) from error


def _arguments(repository: Repository) -> dict:
    return dict(
        repo_id=repository.id,
        repo_type=repository.kind,
        revision=repository.revision,
        allow_patterns=list(repository.files),
        ignore_patterns=list(repository.ignored) or None,
    )


def _counting(progress: Progress | None):
    """The class of bar that the hub's library takes: it draws nothing, and passes on the megabytes that arrive."""
    from huggingface_hub.utils import tqdm

    class Counting(tqdm):
        def __init__(self, *args, name: str | None = None, disable: bool | None = None, **kwargs):
            super().__init__(*args, disable=True, **kwargs)
            self.counts, self.bytes = progress is not None and name == "huggingface_hub.snapshot_download", 0

        def update(self, n: float | None = 1) -> None:
            if self.counts:
                before, self.bytes = self.bytes, self.bytes + int(n or 0)
                progress.advance(self.bytes // MEGABYTE - before // MEGABYTE)

    return Counting

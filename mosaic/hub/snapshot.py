"""A repository's files on this disk, at one commit.

Downloading, resuming, checking sizes and sharing the cache between processes is the hub's own library's work; nothing
half written is ever among the files that it gives.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from mosaic.errors import Unavailable
from mosaic.hub.refusals import refused
from mosaic.hub.repository import Repository
from mosaic.hub.requests import limit_requests, patiently
from mosaic.progress import Progress

MEGABYTE = 1_000_000


def snapshot(repository: Repository, progress: Progress | None = None) -> Path:
    """The folder of a repository's files: those that are not here are downloaded, an interrupted download goes on.

    Where the hub cannot be reached, or HF_HUB_OFFLINE is set, the files that are here, if they are complete. progress: told
    of every megabyte; None: one of its own. Raises Unavailable, naming the status and the cure.
    """
    limit_requests()
    from huggingface_hub import snapshot_download

    with explained(repository), contextlib.ExitStack() as stack:
        told = progress or stack.enter_context(Progress(f"fetching {repository.id}", unit="MB"))
        arguments = {**_arguments(repository), "tqdm_class": _counting(told)}
        return Path(_answered(lambda: patiently(lambda: snapshot_download(**arguments), repository.id)))


def sizes(repository: Repository) -> dict[str, tuple[int, bool]]:
    """{file: (its bytes, whether it is here)} of what `snapshot` would give. Raises Unavailable as it does."""
    limit_requests()
    from huggingface_hub import snapshot_download

    arguments = {**_arguments(repository), "tqdm_class": _counting(None), "dry_run": True}
    with explained(repository):
        found = _answered(lambda: patiently(lambda: snapshot_download(**arguments), repository.id))
    return {
        file.filename: (file.file_size or 0, file.is_cached) for file in sorted(found, key=lambda file: file.filename)
    }


@contextlib.contextmanager
def explained(repository: Repository) -> Iterator[None]:
    """Turns what the hub's libraries raise into one error that says what to do."""
    import httpx2
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except (httpx2.HTTPError, HFValidationError, OSError) as error:
        raise refused(error, repository) from error


def _answered(ask: Callable):
    """`ask()`. Raises Unavailable for an answer that the hub's library cannot read, such as a network's login page."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError

    try:
        return ask()
    except HFValidationError:
        raise
    except UnicodeEncodeError as error:
        raise Unavailable("the token (HF_TOKEN) holds letters that no token has. Set it anew, or unset it.") from error
    except (ValueError, AttributeError, AssertionError, KeyError, TypeError) as error:
        raise Unavailable(
            f"what answers at {constants.ENDPOINT} does not answer as the hub does ({error}). Is it a login page of this "
            "network? Open it in a browser, or check HF_ENDPOINT."
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

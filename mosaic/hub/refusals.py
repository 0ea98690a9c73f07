"""What the hub refuses, in one sentence a user can act on: the status, what it means, and what helps."""

from __future__ import annotations

from mosaic.errors import MosaicError, Unavailable
from mosaic.files import CURES
from mosaic.files import refusal as write_refusal
from mosaic.hub.repository import MAIN, Repository
from mosaic.hub.requests import answer, asked_to_wait, status

KEPT = "What was fetched is kept; the same command goes on."


class NoSuchRevision(Unavailable):
    """The repository is there, and the revision that was asked for is not: nothing else may take its place."""


def refused(error: Exception, repository: Repository) -> MosaicError:
    """The error to raise for what asking for a repository's files ended in."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled, RevisionNotFoundError

    name = repository.id
    if answer(error) is None and write_refusal(error) is not None:
        return MosaicError(
            f"cannot store {name} in {constants.HF_HUB_CACHE}: {CURES[write_refusal(error)]} HF_HOME names it."
        )
    if isinstance(error, HFValidationError):
        return Unavailable(
            f"{name!r} is neither a folder here nor an id of the hub (owner/name). Check the spelling. {repository.instead}"
        )
    causes = list(_causes(error))
    if answer(error) is not None:
        kind = NoSuchRevision if any(isinstance(cause, RevisionNotFoundError) for cause in causes) else Unavailable
        return kind(f"{_of_status(error, causes, repository)} {repository.instead}".strip())
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in causes):
        why = f"HF_HUB_OFFLINE is set, and {constants.HF_HUB_CACHE} does not hold all of {name}"
        return Unavailable(f"{why}. Unset it, or run `mosaic fetch` where there is a network. {repository.instead}")
    if any(isinstance(cause, httpx2.TimeoutException) for cause in causes):
        seconds = constants.HF_HUB_DOWNLOAD_TIMEOUT
        return Unavailable(
            f"the hub ({constants.ENDPOINT}) said nothing for {seconds} s when it was asked for {name}. {KEPT} "
            f"HF_HUB_DOWNLOAD_TIMEOUT={6 * seconds} waits longer. {repository.instead}"
        )
    if any(isinstance(cause, httpx2.TransportError) for cause in causes):
        return Unavailable(
            f"the hub ({constants.ENDPOINT}) cannot be reached for {name}, which is not whole in {constants.HF_HUB_CACHE}: "
            f"{_first_line(causes[-1])}. Check the network, or run `mosaic fetch` where there is one. {repository.instead}"
        )
    return Unavailable(
        f"cannot fetch {name}: {_first_line(causes[-1]).rstrip('.')}. {KEPT} {repository.instead}".strip()
    )


def _of_status(error: Exception, causes: list[Exception], repository: Repository) -> str:
    """What the hub's answer means."""
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import (
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    code, name = status(error), repository.id
    log_in = "log in with `hf auth login`, or set HF_TOKEN"

    def any_is(kind) -> bool:
        return any(isinstance(cause, kind) for cause in causes)

    if any_is(GatedRepoError):
        then = f"then {log_in}" if get_token() is None else "with the account of your token"
        return f"{name} is gated (status {code}). Accept its licence at {repository.page}, {then}."
    if any_is(RevisionNotFoundError):
        return f"{name} has no revision {repository.revision!r} (status {code}). Name a branch, tag or commit of it, or {MAIN}."
    if any_is(RemoteEntryNotFoundError):
        return f"{name} lists a file that the hub does not have (status {code}): {_file(error)}. Try later, or another revision."
    if any_is(RepositoryNotFoundError) or code in (401, 403, 404):
        token = f"If it is private, {log_in}." if get_token() is None else "If it is private, your token must reach it."
        return f"the hub ({constants.ENDPOINT}) does not give {name} (status {code}). Check the spelling. {token}"
    if code == 429:
        wait = asked_to_wait(answer(error))
        when = f"in {wait} s" if wait else "later"
        higher = f", or {log_in}, for a higher limit" if get_token() is None else ""
        return f"the hub asks us to wait before it gives {name} (status 429). {KEPT} Try {when}{higher}."
    return f"the hub ({constants.ENDPOINT}) failed when it was asked for {name} (status {code}). {KEPT} Try later."


def _file(error: Exception) -> str:
    return str(answer(error).request.url).rsplit("/resolve/", 1)[-1].partition("/")[2] or "?"


def _causes(error: BaseException | None):
    """The error and what caused it, the first last."""
    while error is not None:
        yield error
        error = error.__cause__


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""Requests to the hub: each within a time limit, and a hub that asks to wait is heard.

The hub's own library sets no limit on what it asks about a repository: a hub that accepts and never answers would hang a
command for ever. It takes a client of ours (`set_client_factory`), which every library that asks through it then uses.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from functools import cache, partial

from mosaic.errors import MosaicError
from mosaic.progress import announce

LONGEST_WAIT = 60  # seconds that a hub may ask us to wait before the user decides
TRIES = 3
LIMITS = ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT")


class Refused(OSError):
    """An answer after which asking again is vain, which the hub's library does not know. response: that answer."""

    def __init__(self, response):
        super().__init__(f"status {response.status_code} of {response.request.url}")
        self.response = response


@cache
def limit_requests() -> None:
    """From now on a request of this process ends after HF_HUB_DOWNLOAD_TIMEOUT seconds (10) without an answer.

    So does one that failed TRIES times, and one whose answer asks for a wait of more than LONGEST_WAIT seconds: the hub's
    library would sleep through both in silence, for a minute or as long as it is told. Raises MosaicError for a limit that
    is no number: that library cannot even be imported with it.
    """
    for name in LIMITS:
        if not os.environ.get(name, "1").strip().isdigit():
            raise MosaicError(f"{name} is {os.environ[name]!r}; a whole number of seconds was expected. Set it anew.")
    from huggingface_hub import constants, logging, set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def client():
        made = default_client_factory()
        hooks = made.event_hooks
        made.event_hooks = {
            "request": [*hooks["request"], partial(_within, constants.HF_HUB_DOWNLOAD_TIMEOUT)],
            "response": [*hooks["response"], partial(_no_vain_hope, Counter())],
        }
        return made

    set_client_factory(client)
    logging.set_verbosity_error()  # it tells every try of its own; what ends a request, we tell


def _within(seconds: float, request) -> None:
    """Gives a limit to what has none. Not the client's own: the hub's library asks about a repository with `timeout=None`."""
    limits = request.extensions.get("timeout") or dict.fromkeys(("connect", "read", "write", "pool"))
    request.extensions["timeout"] = {what: seconds if limit is None else limit for what, limit in limits.items()}


def _no_vain_hope(failures: Counter, response) -> None:
    """Raises Refused for an answer that ends all tries. failures: of each request before."""
    asked = response.headers.get("Retry-After", "")
    busy = response.status_code in (429, 503) and asked.isdigit() and int(asked) > LONGEST_WAIT
    request = (response.request.method, str(response.request.url))
    failures[request] += response.status_code >= 500
    if busy or failures[request] >= TRIES:
        raise Refused(response)


def patiently(ask: Callable, what: str, sleep: Callable[[float], None] = time.sleep):
    """`ask()`, asked again where the hub is busy (429, 5xx) and says to wait no longer than LONGEST_WAIT seconds, or where it
    broke off in the middle of a file, which then goes on from there."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for left in reversed(range(TRIES)):
        try:
            return ask()
        except httpx2.ReadError:  # of a connection that was reset; the library itself goes on after every other end
            if not left:
                raise
        except (HfHubHTTPError, LocalEntryNotFoundError) as error:
            wait = seconds_to_wait(error, TRIES - left)
            if not left or wait is None or wait > LONGEST_WAIT:
                raise
            announce(f"{what}: the hub is busy (status {status(error)}); asking again in {wait:g} s")
            sleep(wait)


def seconds_to_wait(error: Exception, tried: int) -> float | None:
    """What the hub's answer asks for (`Retry-After`), else a second more at each try; None where asking again is vain."""
    code = status(error)
    if code != 429 and (code is None or code < 500):
        return None
    asked = answer(error).headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else float(tried)


def status(error: Exception) -> int | None:
    """The status of the hub's answer that an error, or what caused it, holds; None where there was no answer."""
    found = answer(error)
    return None if found is None else found.status_code


def answer(error: BaseException | None):
    """The hub's answer in an error or its causes, or None."""
    while error is not None:
        if getattr(error, "response", None) is not None:
            return error.response
        error = error.__cause__
    return None

"""Requests to the hub: each within a time limit, and a hub that asks to wait is heard.

The hub's own library sets no limit on what it asks about a repository: a hub that accepts and never answers would hang a
command for ever. It takes a client of ours (`set_client_factory`), which every library that asks through it then uses.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from mosaic.progress import announce

LONGEST_WAIT = 60  # seconds that a hub may ask us to wait before the user decides
TRIES = 3
RETRIED = 5  # seconds from which a refusal is one that the hub's own library asked again about before it gave up


class AskedToWait(OSError):
    """The hub asks for a longer wait than anyone should sit through without being asked. response: its answer."""

    def __init__(self, response):
        super().__init__(f"the hub asks to wait {response.headers['Retry-After']} s")
        self.response = response


@cache
def limit_requests() -> None:
    """From now on a request of this process ends after HF_HUB_DOWNLOAD_TIMEOUT seconds (10) without an answer, and a wait of
    more than LONGEST_WAIT seconds, which the hub's library would sleep through in silence, is an error."""
    from huggingface_hub import constants, logging, set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def client():
        made = default_client_factory()
        made.timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
        made.event_hooks = {**made.event_hooks, "response": [*made.event_hooks["response"], _no_long_wait]}
        return made

    set_client_factory(client)
    logging.set_verbosity_error()  # it tells every try of its own; what ends a request, we tell


def _no_long_wait(response) -> None:
    asked = response.headers.get("Retry-After", "")
    if response.status_code in (429, 503) and asked.isdigit() and int(asked) > LONGEST_WAIT:
        raise AskedToWait(response)


def patiently(ask: Callable, what: str, sleep: Callable[[float], None] = time.sleep):
    """`ask()`, asked again where the hub is busy (429, 5xx) and says to wait no longer than LONGEST_WAIT seconds."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for left in reversed(range(TRIES)):
        start = time.monotonic()
        try:
            return ask()
        except (HfHubHTTPError, LocalEntryNotFoundError) as error:
            wait = seconds_to_wait(error, TRIES - left)
            if not left or wait is None or wait > LONGEST_WAIT or time.monotonic() - start > RETRIED:
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

"""Requests to the hub: each within a time limit, and a hub that asks to wait is heard.

The hub's own library sets no limit on what it asks about a repository: a hub that accepts and never answers would hang a
command for ever. It takes a client of ours (`set_client_factory`), which every library that asks through it then uses.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from urllib.parse import urlsplit

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


@dataclass
class Heard:
    """answers: that this process had from the hub. failures: of each request, in a row. Threads share both without a lock: a
    few more or less are no matter."""

    answers: int = 0
    failures: Counter = field(default_factory=Counter)


@cache
def limit_requests() -> Heard:
    """From now on a request of this process ends after HF_HUB_DOWNLOAD_TIMEOUT seconds (10) without an answer.

    So does one that failed TRIES times, and one whose answer asks for a wait of more than LONGEST_WAIT seconds: the hub's
    library would sleep through both in silence, for a minute or as long as it is told. Gives what is
    heard from then on. Raises MosaicError as `check_environment` does.
    """
    check_environment()
    from huggingface_hub import logging, set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    heard = Heard()

    def client():
        made = default_client_factory()
        hooks = made.event_hooks
        made.event_hooks = {
            "request": [*hooks["request"], partial(_within, time_limit())],
            "response": [*hooks["response"], partial(_no_vain_hope, heard)],
        }
        return made

    set_client_factory(client)
    logging.set_verbosity_error()  # it tells every try of its own; what ends a request, we tell
    return heard


def _within(seconds: float, request) -> None:
    """Gives a limit to what has none. Not the client's own: the hub's library asks about a repository with `timeout=None`."""
    limits = request.extensions.get("timeout") or dict.fromkeys(("connect", "read", "write", "pool"))
    request.extensions["timeout"] = {what: seconds if limit is None else limit for what, limit in limits.items()}


def time_limit() -> int:
    """Seconds that a request may go without an answer."""
    from huggingface_hub import constants

    return constants.HF_HUB_DOWNLOAD_TIMEOUT


def check_environment() -> None:
    """Raises MosaicError for variables with which the hub's library cannot even be imported."""
    for name in LIMITS:
        value = os.environ.get(name, "1").strip()
        if not value.isdigit() or int(value) < 1:
            raise MosaicError(f"{name} is {os.environ[name]!r}; a whole number of seconds was expected. Set it anew.")
    endpoint = os.environ.get("HF_ENDPOINT")
    if endpoint and not _is_address(endpoint):
        raise MosaicError(
            f"HF_ENDPOINT is {endpoint!r}; an address with http:// or https:// was expected. Set it anew."
        )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is none
        return False


def _no_vain_hope(heard: Heard, response) -> None:
    """Raises Refused for an answer that ends all tries; tells of a wait, which is otherwise slept through in silence."""
    heard.answers += 1
    request = (response.request.method, str(response.request.url))
    if response.status_code not in (408, 429) and response.status_code < 500:
        heard.failures.pop(request, None)
        return
    heard.failures[request] += 1
    wait = asked_to_wait(response)
    if heard.failures[request] >= TRIES or (wait or 0) > LONGEST_WAIT:
        heard.failures.pop(request, None)
        raise Refused(response)
    if wait:
        announce(f"the hub is busy (status {response.status_code}) and asks to wait {wait} s")


def asked_to_wait(response) -> int | None:
    """Seconds that an answer asks us to wait, by `Retry-After` or by the hub's own `RateLimit`; None where by neither."""
    from huggingface_hub.utils import parse_ratelimit_headers

    asked = response.headers.get("Retry-After", "")
    if asked.isdigit():
        return int(asked)
    limit = parse_ratelimit_headers(response.headers)
    return limit.reset_in_seconds if limit is not None and limit.remaining == 0 else None


def patiently(ask: Callable, sleep: Callable[[float], None] = time.sleep):
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
            sleep(wait)


def seconds_to_wait(error: Exception, tried: int) -> float | None:
    """What the hub's answer asks for, else a second more at each try; None where asking again is vain."""
    code = status(error)
    if code != 429 and (code is None or code < 500):
        return None
    asked = asked_to_wait(answer(error))
    return float(tried if asked is None else asked)


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

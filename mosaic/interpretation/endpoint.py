"""An explainer behind an OpenAI-compatible address: POST {address}/chat/completions, of the user's own and with the user's key.

Off unless it is named. The key goes into one header of one request to that address and nowhere else: no redirect is followed, an
address that is not encrypted is this machine's own or is asked for by name, and what the server sends back is searched for the key
before anybody sees it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from mosaic.errors import MosaicError, Unavailable
from mosaic.hub.requests import LONGEST_WAIT
from mosaic.interpretation.speakers import ANSWER_TOKENS, Message
from mosaic.progress import announce

URL, KEY, PLAIN = "MOSAIC_EXPLAINER_URL", "MOSAIC_EXPLAINER_KEY", "MOSAIC_EXPLAINER_PLAIN_HTTP"
TRIES = 5  # of one request
FIRST_WAIT = 1.0  # seconds, doubled at each try
SECONDS = 120.0  # within which a whole answer must have come
LARGEST = 4 * 2**20  # bytes of an answer
BYTES_A_TOKEN = 4  # for estimates: the server's tokenizer is not known
HIDDEN = "[key]"
FRAGMENT = 5  # characters of a key in a row that are hidden in an error
SECRET = 8  # characters from which on a key is one; local servers take any word, which may stand in an answer
KEPT = "What was answered is kept; the same command goes on."


class Busy(Exception):
    """What may be better at the next try. wait: seconds that the server asks for."""

    def __init__(self, what: str, wait: float | None = None):
        super().__init__(what)
        self.wait = wait


@dataclass(frozen=True)
class Endpoint:
    """A model by its name at an address. seconds: for one whole answer. not_taken: settings that this server turned out not to
    take. sleep: for tests."""

    model: str
    address: str
    key: str | None = field(default=None, repr=False, compare=False)
    answer_tokens: int = ANSWER_TOKENS
    seconds: float = SECONDS
    tries: int = TRIES
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)
    not_taken: set[str] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def from_environment(cls, model: str, **settings) -> Endpoint:
        """Raises MosaicError for an address that is missing or cannot be used, a key that cannot be sent, a model without a name."""
        address = os.environ.get(URL, "").strip().rstrip("/")
        if not address:
            raise MosaicError(
                f"{URL} is not set. Set it to the address of an OpenAI-compatible server, such as http://localhost:8000/v1, "
                f"and {KEY} to its key, where it needs one."
            )
        if not model:
            raise MosaicError("the endpoint's model has no name. Write endpoint:MODEL, as the server calls it.")
        check_address(address, plain=os.environ.get(PLAIN) == "1")
        return cls(model, address, usable_key(os.environ.get(KEY, "")), **settings)

    @property
    def name(self) -> str:
        return f"{self.model} at {urlsplit(self.address).netloc}"

    @property
    def settings(self) -> dict:
        return {"address": self.address, "temperature": 0, "answer_tokens": self.answer_tokens}

    def n_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message["content"].encode()) for message in messages) // BYTES_A_TOKEN

    def say(self, messages: Sequence[Message]) -> str:
        """One answer. Raises MosaicError where the server refuses or speaks another protocol, Unavailable where it stays away."""
        for tried in range(1, self.tries + 1):
            try:
                return self._once(messages)
            except Busy as busy:
                wait = FIRST_WAIT * 2 ** (tried - 1) if busy.wait is None else busy.wait
                if tried == self.tries:
                    raise Unavailable(f"{self.name} {busy}, {tried} times. {KEPT}") from None
                if wait > LONGEST_WAIT:
                    raise Unavailable(f"{self.name} {busy} and asks to wait {wait:.0f} s. {KEPT} Try later.") from None
                announce(f"{self.name} {busy}; asked again in {wait:.0f} s")
            self.sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, messages: Sequence[Message]) -> str:
        status, headers, body = self._post(self._asked(messages))
        while status == 400 and (setting := self._complained_of(body)):
            self.not_taken.add(setting)
            status, headers, body = self._post(self._asked(messages))
        if status != 200:
            raise self._refused(status, headers, body)
        if "json" not in headers.get("content-type", "").lower():
            raise MosaicError(
                f"{self.name} answers with {self._blanked(headers.get('content-type') or 'no content type')!r:.60}, not JSON: this is "
                f"no chat endpoint. {URL} is the part before /chat/completions, such as http://localhost:8000/v1."
            )
        return self._blanked(_content(body))

    def _asked(self, messages: Sequence[Message]) -> dict:
        """The request: newer models take `max_completion_tokens` for `max_tokens`, and some no temperature but their own."""
        limit = "max_completion_tokens" if "max_tokens" in self.not_taken else "max_tokens"
        asked = {"model": self.model, "messages": list(messages), limit: self.answer_tokens, "temperature": 0}
        return {key: value for key, value in asked.items() if key not in self.not_taken}

    def _complained_of(self, body: bytes) -> str | None:
        """The setting that a server says it does not take, None where it is another matter or was left out already."""
        said = body.decode("utf-8", "replace")
        for sign, setting in (("max_completion_tokens", "max_tokens"), ("temperature", "temperature")):
            if sign in said and setting not in self.not_taken:
                return setting
        return None

    def _post(self, asked: dict) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body), all of it within `seconds`. Raises Busy where none came."""
        import httpx2

        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        parts = urlsplit(self.address)
        # What is for this machine alone goes through no proxy, which would read it.
        proxies = parts.scheme == "https" or not is_local(parts)
        until = time.monotonic() + self.seconds
        body = bytearray()
        try:
            with (
                httpx2.Client(timeout=self.seconds, follow_redirects=False, trust_env=proxies) as client,
                client.stream("POST", f"{self.address}/chat/completions", json=asked, headers=headers) as response,
            ):
                for part in response.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise MosaicError(
                            f"{self.name} sends more than {LARGEST >> 20} MiB for one answer. Check {URL}."
                        )
                    if time.monotonic() > until:
                        raise Busy(f"gave no whole answer in {self.seconds:g} s")
                return response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(body)
        except httpx2.TimeoutException:
            raise Busy(f"gave no answer in {self.seconds:g} s") from None
        except httpx2.ConnectError as error:
            raise Busy(f"cannot be reached ({self._safe(_first_line(error))})") from None
        except (httpx2.TransportError, httpx2.DecodingError):
            raise Busy("broke off in the middle of its answer") from None

    def _refused(self, status: int, headers: dict[str, str], body: bytes) -> Exception:
        """The error to raise for an answer that is none. A server may repeat the key, whole or in part, in what it says of it."""
        if status in (408, 409, 429) or status >= 500:
            return Busy(f"is busy or failed (status {status})", asked_to_wait(headers.get("retry-after", "")))
        if status in (401, 403):
            has = "is not accepted" if self.key else "is not set"
            return MosaicError(
                f"{self.name} refuses (status {status}): {KEY} {has}. Set it to a key that may use this model."
            )
        if 300 <= status < 400:
            return MosaicError(
                f"{self.name} sends on to another address (status {status}), which is not followed, since the key would go there "
                f"too. Set {URL} to the address itself."
            )
        said = self._blanked(" ".join(_unescaped(body).split()))[:200]
        where = f" Check the model's name and {URL}." if status == 404 else ""
        return MosaicError(f"{self.name} refuses (status {status}): {said or 'nothing more is said'}.{where}")

    def _blanked(self, text: str) -> str:
        """A server's words without anything that it shares with the key: whole, or any FRAGMENT characters in a row of it."""
        if self.key and len(self.key) >= SECRET:
            for start in range(len(self.key) - FRAGMENT + 1):
                text = text.replace(self.key[start : start + FRAGMENT], "\0" * FRAGMENT)
            text = re.sub("[!-~]*\0[!-~\0]*", HIDDEN, text)
        return text

    def _safe(self, text: str) -> str:
        return text.replace(self.key, HIDDEN) if self.key and len(self.key) >= SECRET else text


def _unescaped(body: bytes) -> str:
    """A body's text; of JSON, without its escapes."""
    text = body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        return json.dumps(json.loads(text), ensure_ascii=False)
    return text.replace("\\/", "/")


def _content(body: bytes) -> str:
    """The answer's text, empty where the model said none. Raises Busy for a body that is not of the protocol."""
    try:
        found = json.loads(body)
        content = found["choices"][0]["message"]["content"]
    except (ValueError, RecursionError):
        raise Busy("sends what is not JSON") from None
    except (LookupError, TypeError):
        raise Busy("answers without choices") from None
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        content = "".join(part["text"] for part in content)  # in parts, as some servers send it
    if content is not None and not isinstance(content, str):
        raise Busy("answers with what is not text")
    return (content or "").encode("utf-8", "replace").decode()  # half a surrogate pair is no text


def asked_to_wait(header: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Seconds of a Retry-After header, which has a number or a date; None where it has neither."""
    header = header.strip()
    try:
        if header.replace(".", "", 1).isascii() and header.replace(".", "", 1).isdigit():
            return float(header)
        until = parsedate_to_datetime(header)
        return max(0.0, (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now().timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def check_address(address: str, plain: bool = False) -> None:
    """Raises MosaicError for what is no address, holds a secret that would be shown with it, or would send the key in the open."""
    try:
        parts = urlsplit(address)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise MosaicError(f"{URL} is not an address; one with http:// or https:// was expected. Set it anew.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise MosaicError(
            f"{URL} holds a user's name, a query or a fragment, which would stand in the cache with it. Give the plain address, and "
            f"the key in {KEY}."
        )
    if parts.scheme == "http" and not plain and not is_local(parts):
        raise MosaicError(
            f"{URL} begins with http:// and is not this machine's: the key and the texts would go unencrypted. Use https://, or "
            f"set {PLAIN}=1 where the network is yours."
        )


def is_local(parts: SplitResult) -> bool:
    """Whether an address is this very machine's."""
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def usable_key(value: str) -> str | None:
    """The key without white space around it, None where there is none. Raises MosaicError, without the key, for one that no header
    can hold: the HTTP library would name it in its own error."""
    key = value.strip()
    if not key:
        return None
    if not all("!" <= character <= "~" for character in key):
        raise MosaicError(f"{KEY} holds white space or characters beyond ASCII. Copy it once more.")
    return key


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

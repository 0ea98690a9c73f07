"""The built site on loopback: a browser does not let a page that is opened as a file load a model.

Standard library only. The address is this machine's own (127.0.0.1); nothing outside it can ask.
"""

from __future__ import annotations

import functools
import http.server
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mosaic.errors import MosaicError

HOST = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost")
PORT = 8000
TYPES = {
    ".wasm": "application/wasm",
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".json": "application/json",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder with the types that browsers ask for. Says nothing, lists no folder, and lets nothing be kept unasked."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}  # noqa: RUF012 - the base class's own
    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # asked again each time, sent again only where it changed
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def send_head(self):
        """Refuses who asks by another name than this machine's, hidden files, and what links lead to outside of the build."""
        if (self.headers.get("Host") or HOST).rsplit(":", 1)[0] not in NAMES:
            self.send_error(http.HTTPStatus.MISDIRECTED_REQUEST)
            return None
        parts = unquote(urlsplit(self.path).path).split("/")
        if any(part.startswith(".") or "\0" in part for part in parts) or not self._inside():
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def _inside(self) -> bool:
        """A profile's book is a link to build/versions, beside build/site."""
        asked, site = Path(self.translate_path(self.path)).resolve(), Path(self.directory).resolve()
        return asked.is_relative_to(site) or asked.is_relative_to(site.parent / "versions")

    def list_directory(self, path) -> None:
        self.send_error(http.HTTPStatus.NOT_FOUND)

    def log_message(self, *arguments) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """A browser that closes a page breaks off what it was loading, which is no error."""

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server(folder: Path, port: int = PORT) -> http.server.ThreadingHTTPServer:
    """A server of the folder's files, bound and not yet running. port 0: any that is free.

    Raises MosaicError where there is no site, or the port is taken.
    """
    if not (folder / "index.html").is_file():
        raise MosaicError(f"{folder} holds no site (index.html). Build one: `mosaic reproduce`.")
    handler = functools.partial(Handler, directory=str(folder))
    try:
        found = Server((HOST, port), handler)
    except (OSError, OverflowError) as error:
        raise MosaicError(f"port {port} cannot be used ({error}). Choose another with --port, or 0 for any.") from error
    found.daemon_threads = True
    return found


def address(running: http.server.ThreadingHTTPServer, profile: str | None = None) -> str:
    return f"http://{HOST}:{running.server_port}/" + (f"{profile}/" if profile else "")

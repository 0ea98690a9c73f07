"""The hub's HTTP interface on loopback, for its real clients: HF_ENDPOINT points here, nothing of theirs is patched.

Repositories are folders: ROOT/models/OWNER/NAME/COMMIT/... and ROOT/datasets/..., with a file `refs.json` of branches beside the
commits. A `Fault` makes some requests fail as the real hub, or the network to it, does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = 100_000  # bytes from which a file is served from another address, as the hub does with large ones
KINDS = ("models", "datasets")


@dataclass
class Fault:
    """What happens to a request whose method and path match, for the first `times` of them (None: all).

    kind: "status" (with code, error, headers and body), or of a file's body: "reset", "truncated", "wrong length"; "hang".
    """

    kind: str
    path: str = ""
    method: str = "GET|HEAD"
    times: int | None = None
    code: int = 500
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    met: int = 0

    def strikes(self, method: str, path: str) -> bool:
        if (self.times is not None and self.met >= self.times) or not re.fullmatch(self.method, method):
            return False
        if not re.search(self.path, path):
            return False
        self.met += 1
        return True


class LocalHub:
    """`with LocalHub(root) as hub`: hub.endpoint, hub.faults (a list to fill), hub.asked (method and path of each request)."""

    def __init__(self, root: Path):
        self.root, self.faults, self.asked = root, [], []
        self.closing = threading.Event()
        handler = type("Handler", (_Handler,), {"hub": self})
        # The second keeps the large files: another host's address, to which a token must not go.
        self.servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
        self.endpoint, self.store = (f"http://127.0.0.1:{server.server_port}" for server in self.servers)

    def __enter__(self) -> LocalHub:
        for server in self.servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception) -> None:
        self.closing.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    @contextlib.contextmanager
    def failing(self, *faults: Fault) -> Iterator[None]:
        self.faults[:] = faults
        try:
            yield
        finally:
            self.faults.clear()

    def commit(self, kind: str, name: str, revision: str) -> str | None:
        """The commit of a revision, or None; KeyError for a repository that is not here."""
        folder = self.root / kind / name
        if not folder.is_dir():
            raise KeyError(name)
        refs = json.loads((folder / "refs.json").read_text(encoding="utf-8"))
        return refs.get(revision, revision if (folder / revision).is_dir() else None)


def publish(root: Path, kind: str, name: str, files: Path, branch: str = "main") -> str:
    """A folder of files becomes a commit of a repository, and the branch points at it. Gives the commit."""
    digest = hashlib.sha1()
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        digest.update(path.relative_to(files).as_posix().encode() + path.read_bytes())
    commit, folder = digest.hexdigest(), root / kind / name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / commit).exists():
        files.rename(folder / commit)
    refs = folder / "refs.json"
    known = json.loads(refs.read_text(encoding="utf-8")) if refs.is_file() else {}
    refs.write_text(json.dumps({**known, branch: commit}), encoding="utf-8")
    return commit


@cache
def etag(path: Path) -> str:
    """SHA-256 of a file; files of a commit never change."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path))
        fault = next((fault for fault in self.hub.faults if fault.strikes(self.command, path)), None)
        if fault is not None and fault.kind == "hang":
            self.hub.closing.wait()
            self.close_connection = True
            return
        if fault is not None and fault.kind == "status":
            self._refuse(fault.code, fault.error, fault.headers, fault.body)
            return
        # ID/revision/R and ID/tree/R, R with slashes of its own; an id is OWNER/NAME.
        if found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree)/(.+?))?", path):
            self._about(found[1], found[2], found[3], found[4] or "main")
        elif found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/(refs/convert/parquet|[^/]+)/(.+)", path):
            self._file("datasets" if found[1] else "models", found[2], found[3], found[4], fault)
        elif found := re.fullmatch(r"/stored/(models|datasets)/(.+)", path):
            self._send_file(self.hub.root / found[1] / found[2], fault, {})
        else:
            self._refuse(404, "")

    def _about(self, kind: str, name: str, what: str | None, revision: str) -> None:
        commit = self._commit(kind, name, revision)
        if commit is None:
            return
        folder = self.hub.root / kind / name / commit
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if what == "tree":
            self._send_json([_entry(folder, path) for path in paths])
            return
        siblings = [{"rfilename": path.relative_to(folder).as_posix()} for path in paths]
        self._send_json(
            {"_id": "0", "id": name, "sha": commit, "siblings": siblings, "private": False, "gated": False, "tags": []}
        )

    def _file(self, kind: str, name: str, revision: str, file: str, fault: Fault | None) -> None:
        commit = self._commit(kind, name, revision)
        if commit is None:
            return
        path = self.hub.root / kind / name / commit / file
        headers = {"X-Repo-Commit": commit}
        if not path.is_file():
            self._refuse(404, "EntryNotFound", headers)
        elif path.stat().st_size >= LARGE:
            headers |= {"X-Linked-Size": str(path.stat().st_size), "X-Linked-ETag": f'"{etag(path)}"'}
            headers["Location"] = f"{self.hub.store}/stored/{kind}/{name}/{commit}/{file}"
            self._send(302, b"", headers)
        else:
            self._send_file(path, fault, headers)

    def _commit(self, kind: str, name: str, revision: str) -> str | None:
        try:
            commit = self.hub.commit(kind, name, revision)
        except KeyError:
            self._refuse(404, "RepoNotFound")
            return None
        if commit is None:
            self._refuse(404, "RevisionNotFound")
        return commit

    def _send_file(self, path: Path, fault: Fault | None, headers: dict[str, str]) -> None:
        content, code = path.read_bytes(), 200
        headers = {**headers, "ETag": f'"{etag(path)}"', "Accept-Ranges": "bytes"}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(asked[1]), int(asked[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {start}-{min(end, len(content) - 1)}/{len(content)}"
            content, code = content[start : end + 1], 206
        if fault is None or self.command == "HEAD":
            self._send(code, content, headers)
            return
        if fault.kind == "wrong length":
            self._send(code, content[:-5], headers)
            return
        self._start(code, len(content), headers)
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        if fault.kind == "reset":  # no farewell: what is closed so sends a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = True

    def _refuse(self, code: int, error: str, headers: dict[str, str] | None = None, body: str = "{}") -> None:
        told = {"X-Error-Code": error, "X-Error-Message": error} if error else {}
        self._send(code, body.encode(), {**told, **(headers or {})})

    def _send_json(self, content) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, code: int, content: bytes, headers: dict[str, str]) -> None:
        self._start(code, len(content), headers)
        if self.command != "HEAD":
            self.wfile.write(content)

    def _start(self, code: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()


def _entry(folder: Path, path: Path) -> dict:
    """A file as the hub's tree names it; large ones are kept in another store."""
    size = path.stat().st_size
    large = {"lfs": {"oid": etag(path), "size": size, "pointerSize": 133}} if size >= LARGE else {}
    return {"type": "file", "path": path.relative_to(folder).as_posix(), "size": size, "oid": etag(path)[:40], **large}

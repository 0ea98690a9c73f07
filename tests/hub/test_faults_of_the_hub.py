"""What the hub may do, met by its real clients in a process of its own: each fault ends in its own words, or is survived.

`PYTHONPATH=tests python tests/hub/test_faults_of_the_hub.py` prints the table of seconds and messages.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hub.local_hub import Fault, LocalHub
from hub.stand_ins import publish_model

from mosaic.models.language import ModelSpec
from mosaic.models.opening import repository

MODEL = "google/gemma-2-2b"
DIRECT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}  # where the machine goes out through a proxy
ASK = """
import sys, time
from mosaic.errors import MosaicError
from mosaic.hub.repository import Repository
from mosaic.hub.snapshot import snapshot
start = time.perf_counter()
try:
    print(snapshot(Repository(**__import__("json").loads(sys.argv[1]))))
except MosaicError as error:
    print(f"{type(error).__name__}: {error}")
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Case:
    """faults: of the hub while it is asked. said: what the answer must match; "" where the fault is survived, and the files
    are whole. most: seconds that it may take. cached: whether everything was fetched before. revision: asked for."""

    name: str
    faults: tuple[dict, ...]
    said: str
    most: float = 10
    cached: bool = False
    revision: str = "main"
    token: str = ""
    environment: dict = field(default_factory=dict)


GATED = {"kind": "status", "path": "/resolve/", "error": "GatedRepo"}
BODY = {"path": r"model-00002", "method": "GET", "times": 1}
CASES = [
    Case("gated, no token", ({**GATED, "code": 401},), r"gated \(status 401\).*licence at .*gemma-2-2b.*HF_TOKEN.*gpt2"),
    Case("gated, a token without licence", ({**GATED, "code": 403},), r"gated \(status 403\).*account of your token", token="hf_x"),
    Case("a plain 401", ({"kind": "status", "code": 401},), r"does not give google/gemma-2-2b \(status 401\).*log in with"),
    Case("a plain 403", ({"kind": "status", "code": 403},), r"\(status 403\).*your token must reach it", token="hf_x"),
    Case("no such repository", ({"kind": "status", "code": 404, "error": "RepoNotFound"},), r"\(status 404\)\. Check the spelling"),
    Case("no such revision", (), r"has no revision 'v9' \(status 404\)", revision="v9"),
    Case("a file that is listed and gone", ({"kind": "status", "path": "model-00002", "code": 404, "error": "EntryNotFound"},),
         r"lists a file that the hub does not have \(status 404\): model-00002"),
    Case("429, a short wait", ({"kind": "status", "path": "/api/", "code": 429, "headers": {"Retry-After": "1"}, "times": 1},), ""),
    Case("429, a long wait", ({"kind": "status", "path": "/api/", "code": 429, "headers": {"Retry-After": "900"}},),
         r"asks us to wait .*\(status 429\).*Try in 900 s"),
    Case("429 for every file", ({"kind": "status", "path": "/resolve/", "code": 429, "headers": {"Retry-After": "900"}},),
         r"\(status 429\).*Try in 900 s"),
    Case("500 once", ({"kind": "status", "path": "/api/", "code": 500, "times": 1},), ""),
    Case("500 always", ({"kind": "status", "code": 500},), r"failed when it was asked for .*\(status 500\).*Try later"),
    Case("503 for every file", ({"kind": "status", "path": "/resolve/", "code": 503},), r"failed when .*\(status 503\)"),
    Case("a reset in the middle of a file", ({"kind": "reset", **BODY},), "", most=20),
    Case("a file cut off", ({"kind": "truncated", **BODY},), "", most=20),
    Case("a body of the wrong length", ({"kind": "wrong length", **BODY, "times": None},), r"should be of size .*What was fetched is kept"),
    Case("a hub that never answers", ({"kind": "hang"},), r"said nothing for 2 s.*HF_HUB_DOWNLOAD_TIMEOUT=12 waits longer"),
    Case("a hub that stops in a file", ({"kind": "hang", "path": "/stored/", "times": 1},), "", most=20),
    Case("a hub that is down, all fetched before", ({"kind": "hang"},), "", cached=True),
    Case("500, all fetched before", ({"kind": "status", "code": 500},), "", cached=True),
    Case("offline, all fetched before", (), "", cached=True, environment={"HF_HUB_OFFLINE": "1"}),
    Case("offline, nothing here", (), r"HF_HUB_OFFLINE is set, and .* does not hold all of .*mosaic fetch", environment={"HF_HUB_OFFLINE": "1"}),
    Case("no network", (), r"cannot be reached for google/gemma-2-2b.*mosaic fetch", environment={"HF_ENDPOINT": "http://127.0.0.1:9"}),
    Case("429 without a word on how long", ({"kind": "status", "path": "/resolve/", "code": 429},), r"\(status 429\).*Try later", most=20),
    Case("429 by the hub's own header", ({"kind": "status", "path": "/tree/", "code": 429, "headers": {"RateLimit": '"api";r=0;t=280'}},),
         r"\(status 429\).*Try in 280 s"),
    Case("429, all fetched before", ({"kind": "status", "code": 429, "headers": {"Retry-After": "900"}},), "", cached=True),
    Case("a login page, all fetched before", ({"kind": "status", "code": 200, "body": "<html>log in</html>"},), "", cached=True),
    Case("gated by now, all fetched before", ({**GATED, "code": 401},), "", cached=True),
    Case("an endpoint that is none", (), r"HF_ENDPOINT is 'hub.example'; an address with http", environment={"HF_ENDPOINT": "hub.example"}),
    Case("a login page in the hub's place", ({"kind": "status", "code": 200, "body": "<html>log in</html>"},), r"does not answer as the hub does.*login page"),
    Case("a list in the hub's place", ({"kind": "status", "code": 200, "body": "[]"},), r"does not answer as the hub does"),
    Case("a redirect without end", ({"kind": "status", "code": 302, "headers": {"Location": "/api/models/google/gemma-2-2b"}},), r"redirects"),
    Case("a token that is none", (), r"HF_TOKEN\) holds letters that no token has", token="ü"),
    Case("a limit that is no number", (), r"HF_HUB_DOWNLOAD_TIMEOUT is 'soon'; a whole number", environment={"HF_HUB_DOWNLOAD_TIMEOUT": "soon"}),
    Case("a name that is no host's", (), r"cannot be reached for", environment={"HF_ENDPOINT": "http://no-such-host.invalid"}),
    Case("no network, all fetched before", (), "", cached=True, environment={"HF_ENDPOINT": "http://127.0.0.1:9"}),
]  # fmt: skip


def ask(hub: LocalHub, home: Path, case: Case) -> tuple[str, float]:
    """(what a process that wants the model's files says, seconds)."""
    wanted = repository(ModelSpec(MODEL, revision=case.revision))
    arguments = dict(
        id=wanted.id, revision=case.revision, files=wanted.files, ignored=wanted.ignored, instead=wanted.instead
    )
    environment = {
        **environment_of(hub, home),
        "HF_HUB_DOWNLOAD_TIMEOUT": "2",
        "HF_HUB_ETAG_TIMEOUT": "2",
        **case.environment,
    }
    if case.token:
        environment["HF_TOKEN"] = case.token
    command = [sys.executable, "-c", ASK, json.dumps(arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    answer, seconds = done.stdout.strip().rsplit("\n", 1)
    return answer, float(seconds)


def environment_of(hub: LocalHub, home: Path) -> dict[str, str]:
    """This process's, pointed at a hub, with a cache of its own and no token."""
    dropped = ("HF_TOKEN", "HF_HUB_OFFLINE", "MOSAIC_DATA", "MOSAIC_MODELS", "HF_HUB_CACHE", "HF_DATASETS_CACHE")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", **DIRECT}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    publish_model(root, MODEL, 26)
    with LocalHub(root) as served:
        yield served


@pytest.fixture(scope="module")
def fetched(hub, tmp_path_factory):
    """A cache into which everything was fetched."""
    home = tmp_path_factory.mktemp("fetched")
    answer, _ = ask(hub, home, Case("first", (), ""))
    assert Path(answer).is_dir()
    return home


def run(case: Case, hub: LocalHub, home: Path) -> tuple[str, float]:
    with hub.failing(*(Fault(**fault) for fault in case.faults)):
        return ask(hub, home, case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_ends_in_its_own_words_or_is_survived(case, hub, fetched, tmp_path):
    answer, seconds = run(case, hub, fetched if case.cached else tmp_path)
    assert seconds < case.most, answer
    if case.said:
        assert answer.startswith(("Unavailable: ", "NoSuchRevision: ", "MosaicError: ")) and re.search(
            case.said, answer, re.DOTALL
        ), answer
        assert len(answer) < 3 * 140, "more than three lines of a usual terminal"
        assert whole(hub, tmp_path) in (None, True), "a file that is not whole can be seen"
    else:
        assert Path(answer).is_dir(), answer
        assert whole(hub, fetched if case.cached else tmp_path)


AGAIN = """
import json, sys, time
from mosaic.hub.repository import Repository
from mosaic.hub.snapshot import sizes, snapshot
wanted, start = Repository(**json.loads(sys.argv[1])), time.perf_counter()
folders = {snapshot(wanted) for _ in range(5)}
print(len(folders), time.perf_counter() - start, json.dumps(sizes(wanted)))
"""


@pytest.mark.parametrize("fault", [{"kind": "status", "code": 500}, {"kind": "hang"}], ids=["500", "hang"])
def test_a_hub_that_is_away_is_asked_once_by_a_process_that_has_all(fault, hub, fetched):
    wanted = repository(ModelSpec(MODEL))
    arguments = json.dumps(dict(id=wanted.id, files=wanted.files, ignored=wanted.ignored))
    environment = {**environment_of(hub, fetched), "HF_HUB_DOWNLOAD_TIMEOUT": "2"}
    with hub.failing(Fault(**fault)):
        command = [sys.executable, "-c", AGAIN, arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-1000:]
    count, seconds, listed = done.stdout.split(" ", 2)
    assert count == "1" and float(seconds) < 8
    there = hub.root / "models" / MODEL / hub.commit("models", MODEL, "main")
    assert all(size == (there / name).stat().st_size and here for name, (size, here) in json.loads(listed).items())
    assert {"config.json", "model.safetensors.index.json"} <= set(json.loads(listed))
    assert "pytorch_model.bin" not in listed


def test_answers_are_counted_in_a_row_and_a_good_one_ends_the_row():
    from types import SimpleNamespace

    from mosaic.hub.requests import Heard, Refused, _no_vain_hope

    def answered(code: int, **headers):
        request = SimpleNamespace(method="GET", url="u")
        _no_vain_hope(heard, SimpleNamespace(status_code=code, headers=headers, request=request))

    heard = Heard()
    for code in (500, 503, 200, 500, 429, 404, 500, 408):
        answered(code)
    with pytest.raises(Refused, match="status 502"):
        answered(502)
    answered(500)  # whoever asks anew is heard anew
    with pytest.raises(Refused, match="status 429"):
        answered(429, **{"Retry-After": "61"})
    answered(429, **{"Retry-After": "2"})
    assert heard.answers == 12


def whole(hub: LocalHub, home: Path) -> bool | None:
    """Whether every file in the cache has the bytes that the hub has; None where there is none."""
    snapshots = list((home / "hub").glob("models--*/snapshots/*"))
    if not snapshots:
        return None
    files = [path for path in snapshots[0].rglob("*") if path.is_file()]
    there = hub.root / "models" / MODEL / snapshots[0].name
    return all(path.read_bytes() == (there / path.relative_to(snapshots[0])).read_bytes() for path in files)


def main() -> None:
    """Every case once, as a table: what happened, seconds, what was said."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        publish_model(root / "hub", MODEL, 26)
        with LocalHub(root / "hub") as served:
            ask(served, root / "fetched", Case("first", (), ""))
            print("| fault | seconds | answer |\n|---|---|---|")
            for number, case in enumerate(CASES):
                answer, seconds = run(case, served, root / ("fetched" if case.cached else str(number)))
                print(
                    f"| {case.name} | {seconds:.1f} | {'survived: the files are whole' if not case.said else answer} |"
                )


if __name__ == "__main__":
    main()

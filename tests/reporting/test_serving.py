"""`mosaic serve`: the site on this machine alone, with the types that browsers insist on."""

import http.client
import subprocess
import sys
import threading
from functools import partial

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import serving


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mini").mkdir()
    (tmp_path / "index.html").write_text("front")
    (tmp_path / "mini" / "index.html").write_text("the book")
    for name in ("a.wasm", "a.mjs", "a.js", "a.onnx", "a.json", "a.css"):
        (tmp_path / "mini" / name).write_bytes(b"1")
    (tmp_path.parent / "secret.txt").write_text("secret")
    return tmp_path


def ask(server, path: str, **headers: str):
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.fixture
def running(folder):
    server = serving.server(folder, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_types_that_a_browser_insists_on(running):
    types = {
        name: ask(running, f"/mini/a.{name}")[0].getheader("Content-Type") for name in ("wasm", "mjs", "js", "json")
    }
    assert types == {
        "wasm": "application/wasm", "mjs": "text/javascript", "js": "text/javascript", "json": "application/json",
    }  # fmt: skip
    assert ask(running, "/mini/")[1] == b"the book"
    assert ask(running, "/mini/a.onnx")[0].getheader("Cache-Control") == "no-cache"


def test_it_listens_on_this_machine_alone_and_shows_nothing_else(running, folder):
    assert running.server_address[0] == "127.0.0.1" and serving.address(running, "mini").endswith("/mini/")
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/mini/nothing.html"):
        assert ask(running, path)[0].status == 404
    (folder / "mini" / "index.html").unlink()
    assert ask(running, "/mini/")[0].status == 404, "no folder is listed"


def test_links_out_of_the_build_hidden_files_and_other_names_of_this_machine_are_refused(running, folder, capfd):
    versions = folder.parent / "versions"
    versions.mkdir(exist_ok=True)
    (versions / "book.html").write_text("a version")
    (folder / "link.html").symlink_to(folder.parent / "secret.txt")
    (folder / "book.html").symlink_to(versions / "book.html")
    (folder / ".hidden").write_text("hidden")
    assert [ask(running, path)[0].status for path in ("/link.html", "/.hidden", "/%00")] == [404] * 3
    assert ask(running, "/book.html")[1] == b"a version"
    assert ask(running, "/", Host="elsewhere.example")[0].status == 421
    assert ask(running, "/", Host="localhost:80")[1] == b"front"
    assert "Traceback" not in capfd.readouterr().err


def test_what_cannot_be_served_is_said(tmp_path, folder, running):
    with pytest.raises(MosaicError, match="holds no site"):
        serving.server(tmp_path / "nowhere")
    with pytest.raises(MosaicError, match="Choose another with --port"):
        serving.server(folder, running.server_port)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mosaic", "serve", *arguments]


def test_the_command_serves_until_it_is_interrupted(folder):
    import signal

    given = command("--profile", "mini", "--port", "0", "--folder", str(folder))
    heard = partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # a shell starts what runs behind it deaf to interrupts
    with subprocess.Popen(
        given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as process:
        try:
            said = process.stdout.readline()
            port = int(said.split(":")[2].split("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/mini/")
            assert connection.getresponse().read() == b"the book"
            process.send_signal(signal.SIGINT)
            _, trouble = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, trouble) == (0, "")


def test_the_command_names_a_book_that_is_not_there(folder):
    done = subprocess.run(
        command("--profile", "no", "--folder", str(folder)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "has no book of no. Build it: `mosaic reproduce --profile no`" in done.stderr

"""The explorer beside the book: made once for a state, copied into each site, a plain word where it cannot be made."""

import subprocess
from pathlib import Path

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import latent_pages


@pytest.fixture
def explore(monkeypatch):
    """A stand-in for the command: what it was asked, and how it ends."""

    class Command:
        asked, code, error = [], 0, b""

        def run(self, command, **_):
            self.asked.append(command)
            out = Path(command[command.index("--out") + 1])
            if not self.code:
                out.mkdir(parents=True, exist_ok=True)
                (out / "index.html").write_text("pages")
            return subprocess.CompletedProcess(command, self.code, stderr=self.error)

    command = Command()
    command.asked = []
    monkeypatch.setattr(latent_pages.subprocess, "run", command.run)
    monkeypatch.setattr(latent_pages, "fingerprint", lambda profile: "one")
    return command


def put(build, site, every=False):
    latent_pages.add(latent_pages.make("mini", build, every), build / site)


def test_pages_are_made_once_and_stand_in_every_site(explore, tmp_path, monkeypatch):
    for site in ("first", "second"):
        put(tmp_path, site)
        assert [path.name for path in (tmp_path / site / "explorer").iterdir()] == ["index.html"]
    assert len(explore.asked) == 1 and explore.asked[0][3:6] == ["explore", "--profile", "mini"]
    assert "--all" not in explore.asked[0]
    monkeypatch.setattr(latent_pages, "fingerprint", lambda profile: "another")
    put(tmp_path, "third")
    assert len(explore.asked) == 2, "another state is another run"


def test_pages_of_every_sae_serve_for_the_main_one_too(explore, tmp_path):
    put(tmp_path, "main")
    put(tmp_path, "every", every=True)
    assert ["--all" in command for command in explore.asked] == [False, True]
    put(tmp_path, "main again")
    assert len(explore.asked) == 2


def test_where_they_cannot_be_made_the_place_says_so(explore, tmp_path, caplog):
    explore.code, explore.error = 1, b"mosaic: a warning\nerror: <b>gemma</b> is not here. Fetch it.\n"
    put(tmp_path, "site")
    page = (tmp_path / "site" / "explorer" / "index.html").read_text()
    assert "&lt;b&gt;gemma&lt;/b&gt; is not here. Fetch it." in page and "no pages of latents" in caplog.text
    explore.code = 0
    put(tmp_path, "site")
    assert (tmp_path / "site" / "explorer" / "index.html").read_text() == "pages", "it is tried again"


def test_a_bug_is_no_reason_to_go_on(explore, tmp_path):
    explore.code, explore.error = 1, b"error: this is a bug in mosaic, not a mistake of yours: KeyError: 3"
    with pytest.raises(MosaicError, match="cannot be made: this is a bug in mosaic"):
        put(tmp_path, "site")
    explore.code, explore.error = -9, b""
    with pytest.raises(MosaicError, match="ended with -9"):
        put(tmp_path, "site")

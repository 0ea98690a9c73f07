"""The published site: one folder a profile, swapped in one step."""

import re
import threading

import pytest

from mosaic.reporting import site


@pytest.fixture
def rendered(tmp_path):
    def make(text: str):
        folder = tmp_path / "html"
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text(text)
        return folder

    return make


def test_each_profile_has_its_site_and_the_front_page_leads_to_them(tmp_path, rendered):
    build = tmp_path / "build"
    assert site.publish(rendered("one"), "minilm", build) == build / "site" / "minilm" / "index.html"
    assert 'content="0; url=minilm/index.html"' in (build / "site" / "index.html").read_text(), (
        "one book: straight there"
    )
    site.publish(rendered("two"), "mini", build)
    site.publish(rendered("three"), "my profile", build)
    assert (build / "site" / "minilm" / "index.html").read_text() == "one"
    assert (build / "site" / "mini" / "index.html").read_text() == "two"
    front = (build / "site" / "index.html").read_text()
    assert re.findall('href="([^"]*)"', front) == ["mini/index.html", "minilm/index.html", "my%20profile/index.html"]
    assert "refresh" not in front


def test_the_site_is_never_absent_while_it_is_swapped(tmp_path, rendered):
    index = site.publish(rendered("0"), "mini", tmp_path)
    seen, done = [], threading.Event()

    def look():
        while not done.is_set():
            try:
                seen.append(index.read_text())
            except OSError as error:
                seen.append(repr(error))

    reader = threading.Thread(target=look)
    reader.start()
    for i in range(1, 60):
        site.publish(rendered(str(i)), "mini", tmp_path)
    done.set()
    reader.join()
    assert len(seen) > 100 and all(text.isdigit() for text in seen), [t for t in seen if not t.isdigit()][:3]
    assert [int(text) for text in seen] == sorted(int(text) for text in seen)
    assert len(list((tmp_path / "versions" / "mini").iterdir())) == 2, "old versions go, save the last but one"


def test_a_plain_folder_gives_way(tmp_path, rendered):
    (tmp_path / "site" / "mini").mkdir(parents=True)
    (tmp_path / "site" / "mini" / "old.html").write_text("old")
    index = site.publish(rendered("new"), "mini", tmp_path)
    assert index.read_text() == "new" and not (index.parent / "old.html").exists()
    assert {path.name for path in (tmp_path / "site").iterdir()} == {"mini", "index.html"}


def test_without_links_the_folder_itself_moves(tmp_path, rendered, monkeypatch):
    def refused(*arguments, **options):
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(type(tmp_path), "symlink_to", refused)
    for text in ("one", "two"):
        index = site.publish(rendered(text), "mini", tmp_path)
        assert index.read_text() == text and not index.parent.is_symlink()
    assert {path.name for path in (tmp_path / "site").iterdir()} == {"mini", "index.html"}


def test_what_a_page_loads_stands_beside_the_pages(tmp_path, rendered):
    beside = tmp_path / "playground"
    (beside / "runtime").mkdir(parents=True)
    (beside / "runtime" / "large.wasm").write_text("1")
    site.publish(rendered("one"), "mini", tmp_path / "build", beside)
    place = tmp_path / "build" / "site" / "mini" / "playground" / "runtime" / "large.wasm"
    assert place.read_text() == "1" and place.samefile(beside / "runtime" / "large.wasm"), "it lies on the disk once"
    site.publish(rendered("two"), "mini", tmp_path / "build", tmp_path / "nowhere")
    assert not place.exists() and (tmp_path / "build" / "site" / "mini" / "index.html").read_text() == "two"

"""Packages from npm: only the known bytes are used; where npm cannot fetch, that is said and the book goes on."""

import base64
import hashlib
import io
import shutil
import tarfile
from dataclasses import replace

import pytest

from mosaic.errors import MosaicError
from mosaic.playground import runtime
from mosaic.playground.runtime import Missing, Package


def archive(**files: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def package(content: bytes, **files: str) -> Package:
    integrity = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return Package("thing", "1.0.0", integrity, {f"package/{name}": target for name, target in files.items()})


def test_only_the_named_files_of_the_known_archive_are_taken():
    content = archive(one="1", two="2")
    assert runtime.unpacked(content, package(content, one="a.mjs")) == {"a.mjs": b"1"}


def test_another_archive_is_refused():
    content = archive(one="1")
    with pytest.raises(MosaicError, match=r"thing 1.0.0 has sha512 .* Nothing of it is used") as error:
        runtime.unpacked(content + b"x", package(content, one="a.mjs"))
    assert not isinstance(error.value, Missing), "a wrong archive is no missing network"


def test_a_file_that_is_not_in_it_is_named():
    content = archive(one="1")
    with pytest.raises(MosaicError, match="thing 1.0.0 has no file package/two"):
        runtime.unpacked(content, package(content, two="b.mjs"))


def test_what_is_in_the_cache_is_not_fetched_again(tmp_path, monkeypatch):
    content = archive(one="1")
    monkeypatch.setattr(runtime, "PACKAGES", (package(content, one="a.mjs"),))
    asked = []
    monkeypatch.setattr(runtime, "fetched", lambda one: asked.append(one) or content)
    folder = runtime.runtime(tmp_path)
    assert (folder / "a.mjs").read_text() == "1" and runtime.runtime(tmp_path) == folder and len(asked) == 1
    (folder / "a.mjs").unlink()
    runtime.runtime(tmp_path)
    assert len(asked) == 2
    monkeypatch.setattr(runtime, "PACKAGES", (replace(package(content, one="a.mjs"), version="2.0.0"),))
    assert runtime.runtime(tmp_path) != folder, "another version has another folder"


def test_without_npm_that_is_said(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Missing, match="npm is not installed"):
        runtime.fetched(runtime.PACKAGES[0])


@pytest.mark.parametrize("does", ["exit 1", "exit 0", "sleep 5"])
def test_where_npm_cannot_fetch_that_is_said(tmp_path, monkeypatch, does):
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{does}\n")
    npm.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    monkeypatch.setattr(runtime, "SECONDS", 0.5)
    with pytest.raises(Missing, match=r"npm could not fetch onnxruntime-web 1\.30\.0"):
        runtime.fetched(runtime.PACKAGES[0])

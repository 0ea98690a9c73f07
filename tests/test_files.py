"""Files are whole or absent, and a path that cannot be written says why, before the work where it can be known."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from mosaic import files
from mosaic.errors import MosaicError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_old_file_or_the_whole_new_one(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "er" / "a.json"
    files.write_atomically(path, b"old")
    assert path.read_bytes() == b"old" and path.stat().st_mode & 0o777 == 0o666 & ~_umask()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and names(path.parent) == ["a.json"]


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


@pytest.mark.parametrize(
    "code,cure",
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EDQUOT, "your quota on this disk is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "you may not write there. Change its permissions"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_what_the_disk_refuses_names_the_path_and_the_cure(tmp_path, monkeypatch, code, cure):
    def refuse(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    for write in (lambda path: files.write_atomically(path, b"x"), files.check_target, files.check_folder):
        with pytest.raises(MosaicError) as refused:
            write(tmp_path / "a")
        assert f"cannot write {tmp_path / 'a'}: {cure}" in str(refused.value)
    assert names(tmp_path) == []


def test_a_limit_on_the_size_of_files_is_met_without_a_traceback(tmp_path):
    """A real refusal by the kernel, which needs no full disk."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from mosaic.files import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomically(Path(sys.argv[1]), b'x' * 5000)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"MosaicError cannot write {tmp_path / 'a'}: the file would be larger")
    assert names(tmp_path) == []


def test_a_file_in_a_folders_place_and_a_folder_in_a_files(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for write in (lambda path: files.write_atomically(path, b"x"), files.check_target):
        with pytest.raises(MosaicError, match="folder: it is a folder. Name a file"):
            write(tmp_path / "folder")
        for path in ("file/a.json", "file/deep/a.json"):
            with pytest.raises(MosaicError, match="a part of this path is a file"):
                write(tmp_path / path)
    for check in (files.check_folder, files.check_cache):
        for path in ("file", "file/deep"):
            with pytest.raises(MosaicError, match="a part of this path is a file"):
                check(tmp_path / path)
    with pytest.raises(MosaicError, match="name is too long"):
        files.check_target(tmp_path / ("a" * 300))
    assert names(tmp_path) == ["file", "folder"]


def test_checking_leaves_nothing_behind(tmp_path):
    files.check_target(tmp_path / "new" / "a.json")
    files.check_folder(tmp_path / "new" / "out")
    files.check_cache(tmp_path / "new" / "cache")
    assert names(tmp_path) == []


def test_a_cache_may_be_read_only(tmp_path, monkeypatch):
    """A complete cache on a read-only disk answers; only writing into it is refused."""
    monkeypatch.setattr(files, "_try", lambda folder: pytest.fail("a cache is not written to be checked"))
    files.check_cache(tmp_path)


def test_pipes_and_devices_are_written_into_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.check_target(pipe)
    files.write_atomically(pipe, b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert names(tmp_path) == ["pipe"] and not pipe.is_file()


def test_a_refusal_that_a_library_passes_on_names_the_path(tmp_path):
    """safetensors writes by itself, and its errors are not the system's."""
    import resource

    from safetensors.numpy import save_file

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        message = f"cannot write {tmp_path}: the file would be larger than"
        with pytest.raises(MosaicError, match=message), files.explained(tmp_path):
            save_file({"a": np.zeros(10_000)}, tmp_path / "a.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(KeyError), files.explained(tmp_path):
        raise KeyError("not about files")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(MosaicError, match=r"card.json cannot be read .*Copy it again"):
        files.read_json(tmp_path / "card.json")


def test_a_full_disk_under_torchs_own_writing_is_told():
    error = RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0")
    assert files.refusal(error) == errno.ENOSPC and files.refusal(RuntimeError("shape mismatch")) is None


@pytest.mark.parametrize("links", [True, False])
def test_files_are_placed_whole_linked_where_the_disk_allows(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "another disk")))
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a").write_text("new")
    (source / "b").write_text("b")
    (target / "deep").mkdir(parents=True)
    (target / "deep" / "a").write_text("old")
    (target / "kept").write_text("kept")
    for _ in range(2):  # placed again, nothing changes and nothing is left over
        files.place(source, target)
        assert names(target) == ["b", "deep", "kept"] and names(target / "deep") == ["a"]
        assert (target / "deep" / "a").read_text() == "new" and (target / "kept").read_text() == "kept"
    assert (target / "b").samefile(source / "b") == links

"""Files of Neuronpedia's export: found, downloaded from a server on this machine, read line by line or refused with the line."""

import functools
import gzip
import http.server
import json
import threading

import pytest

from mosaic.errors import MosaicError, Unavailable
from mosaic.interpretation import exports
from mosaic.interpretation.exports import download, find, lines


def write(path, rows, packed=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def test_files_are_found_at_a_file_a_folder_and_a_source(tmp_path):
    source = tmp_path / "12-res"
    batches = [write(source / "explanations" / f"batch-{n}.jsonl.gz", [], True) for n in (0, 2, 10)]
    features = [write(source / "features" / "batch-0.jsonl", [])]
    write(source / "activations" / "batch-0.jsonl", [])
    write(source / "model.jsonl", [])
    (source / "explanations" / "notes.txt").write_text("x")
    for path, files in ((source, batches), (source / "explanations", batches), (batches[1], [batches[1]])):
        found = find(path)
        assert [p.name for p in found.explanations] == [p.name for p in files], "batch-2 before batch-10"
        assert [p.name for p in found.features] == [p.name for p in features]
    alone = write(tmp_path / "some.jsonl", [])
    assert find(alone).features == () and find(alone).name == "some.jsonl" and find(source).name == "12-res"


def test_what_is_no_export_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.csv").write_text("x")
    for path, message in (
        ("empty", "holds no file"),
        ("x.csv", "names end in .jsonl"),
        ("nope", "neither a file nor a folder"),
    ):
        with pytest.raises(MosaicError, match=message):
            find(tmp_path / path)
    write(tmp_path / "two" / "batch-0.jsonl", [])
    write(tmp_path / "two" / "batch-0.jsonl.gz", [], True)
    with pytest.raises(MosaicError, match="are one file, packed and unpacked. Remove one"):
        find(tmp_path / "two")


@pytest.mark.parametrize("packed", [False, True])
def test_lines_come_with_their_place(tmp_path, packed):
    path = write(tmp_path / f"b.jsonl{'.gz' * packed}", [{"a": 1}, {"a": "ü\u2028"}], packed)
    assert [(line.where, line.row) for line in lines(path)] == [
        (f"{path}, line 1", {"a": 1}),
        (f"{path}, line 2", {"a": "ü\u2028"}),
    ]
    plain = tmp_path / "c.jsonl"
    plain.write_text('\n{"a": 1}\n\n  \n{"b": 2}')
    assert [line.where[-1] for line in lines(plain)] == ["2", "5"]


@pytest.mark.parametrize(
    "content,message",
    [
        (b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "line 2 is not UTF-8"),
        (b'{"a": 1}\n[1]\n', "line 2 holds a list, not an object"),
        (b"[" * 99999, "line 1 is not JSON"),
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path, content, message):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(MosaicError, match=message):
        list(lines(path))


def test_a_file_that_is_cut_off_or_not_packed_is_told(tmp_path):
    whole = gzip.compress(b"".join(json.dumps({"a": i}).encode() + b"\n" for i in range(5000)))
    path = tmp_path / "b.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MosaicError, match=r"cut off or damaged after line \d+.*Copy or download it once more"):
        list(lines(path))
    path.write_bytes(whole[:2000] + b"\0" * 50 + whole[2050:])
    with pytest.raises(MosaicError, match=r"cut off or damaged|is not"):
        list(lines(path))
    path.write_bytes(b'{"a": 1}\n')
    with pytest.raises(MosaicError, match="cut off or damaged after line 0"):
        list(lines(path))


def test_a_line_without_an_end_never_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "LONGEST_LINE", 100)
    path = write(tmp_path / "b.jsonl", [{"a": 1}, {"a": "x" * 200}])
    with pytest.raises(MosaicError, match="line 2 has more than"):
        list(lines(path))


def test_a_large_file_is_never_whole_in_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "b.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for i in range(2000):
            file.write(json.dumps({"index": i, "vector": "x" * 20_000}).encode() + b"\n")
    tracemalloc.start()
    assert sum(1 for _ in lines(path)) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20, "the file is 40 MB"


@pytest.fixture
def served(tmp_path):
    """(address of a folder that is served, the folder)."""
    root = tmp_path / "served"

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/m/12-res/", root / "v1" / "m" / "12-res"
    server.shutdown()
    server.server_close()


def test_a_source_is_downloaded_batch_after_batch(served, tmp_path):
    address, root = served
    for kind, n in (("explanations", 3), ("features", 2), ("explanations-gpt", 1)):
        for batch in range(n):
            write(root / kind / f"batch-{batch}.jsonl.gz", [{"kind": kind, "batch": batch}], True)
    for url, kind, n in (
        (address, "explanations", 3),
        (f"{address}explanations/", "explanations", 3),
        (f"{address}explanations-gpt/", "explanations-gpt", 1),
    ):
        got = download(url, tmp_path / kind / str(len(url)))
        assert [line.row for path in got.explanations for line in lines(path)] == [
            {"kind": kind, "batch": i} for i in range(n)
        ]
        assert len(got.features) == 2 and got.name == url
    one = download(f"{address}explanations/batch-1.jsonl.gz", tmp_path / "one")
    assert [line.row["batch"] for line in lines(one.explanations[0])] == [1] and one.features == ()


def test_what_cannot_be_downloaded_is_told(served, tmp_path):
    address, root = served
    root.mkdir(parents=True)
    for url, kind, message in (
        (address, Unavailable, "has no batch-0.jsonl.gz"),
        (f"{address}batch-0.jsonl.gz", Unavailable, "is not there"),
        (f"{address}explanations", MosaicError, "ends neither in"),
        (f"{address}?list=2", MosaicError, "is no address of a file or folder"),
        ("http://127.0.0.1:9/x.jsonl", Unavailable, "cannot be had"),
    ):
        with pytest.raises(kind, match=message):
            download(url, tmp_path / "d")


def test_a_server_that_has_an_answer_to_everything_ends_no_disk(served, tmp_path, monkeypatch):
    address, root = served
    write(root / "explanations" / "batch-0.jsonl.gz", [{"batch": 0}], True)
    (root / "explanations" / "batch-1.jsonl.gz").write_text("<html>not found</html>")
    with pytest.raises(Unavailable, match=r"batch-1\.jsonl\.gz is no gz file: the server answers with something else"):
        download(address, tmp_path / "a")
    (root / "explanations" / "batch-1.jsonl.gz").unlink()
    monkeypatch.setattr(exports, "LARGEST_FILE", 10)
    with pytest.raises(Unavailable, match="no file of the export has"):
        download(address, tmp_path / "b")
    monkeypatch.undo()
    monkeypatch.setattr(exports, "BATCHES", 1)
    with pytest.raises(Unavailable, match="gives more than 1 batches"):
        download(address, tmp_path / "c")

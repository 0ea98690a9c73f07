import os
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import random as sparse_random

from mosaic.errors import MosaicError
from mosaic.features.table import Damaged, FeatureTable, concatenate
from mosaic.files import write_atomically
from mosaic.texts.ids import text_ids


def table(n: int = 4, width: int = 7, seed: int = 0) -> FeatureTable:
    matrix = sparse_random(n, width, 0.4, format="csr", dtype=np.float32, random_state=seed)
    ids = text_ids([f"text {seed} {i}" for i in range(n)])
    provenance = {"features": "sae", "layer": 4, "width": "2k", "pooling": "sum", "note": "é"}
    return FeatureTable(matrix, ids, np.arange(1, n + 1), np.arange(n) % 2 == 0, provenance)


def equal(a: FeatureTable, b: FeatureTable) -> bool:
    return (
        a.matrix.shape == b.matrix.shape
        and (a.matrix != b.matrix).nnz == 0
        and (a.row_ids == b.row_ids).all()
        and (a.n_tokens == b.n_tokens).all()
        and (a.truncated == b.truncated).all()
        and a.provenance == b.provenance
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8), st.integers(1, 9), st.integers(0, 99))
def test_save_and_load(tmp_path_factory, n, width, seed):
    path = tmp_path_factory.mktemp("t") / "x.safetensors"
    original = table(n, width, seed)
    original.save(path)
    assert equal(original, FeatureTable.load(path))


def test_equal_tables_are_equal_files(tmp_path):
    for i in range(20):
        table().save(tmp_path / str(i))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize("mask", [0x01, 0x02, 0x20, 0x80, 0xFF])
def test_a_flipped_byte_anywhere_is_noticed_or_changes_nothing(tmp_path, mask):
    """Header and metadata too: `max` must not become `mbx`, nor 1024 latents 9024."""
    path = tmp_path / "x.safetensors"
    original = table(2, 5)
    original.save(path)
    content = path.read_bytes()
    noticed = 0
    for position in range(len(content)):
        broken = bytearray(content)
        broken[position] ^= mask
        path.write_bytes(broken)
        try:
            assert equal(FeatureTable.load(path), original), position
        except Damaged:
            noticed += 1
    assert noticed > 0.95 * len(content)


def test_row_ids_are_read_without_the_rest(tmp_path):
    path = tmp_path / "x.safetensors"
    table().save(path)
    assert (FeatureTable.load_row_ids(path) == table().row_ids).all()
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(Damaged):
        FeatureTable.load_row_ids(path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100])
def test_what_is_no_table_is_damaged(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(Damaged):
        FeatureTable.load(path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(MosaicError, match=r"nope.safetensors does not exist"):
        FeatureTable.load(tmp_path / "nope.safetensors")


def test_names_tell_layer_and_latent():
    assert table().names[[0, 6]].tolist() == ["layer_4/width_2k/0", "layer_4/width_2k/6"]


def test_take_and_concatenate():
    a, b = table(seed=1), table(3, seed=2)
    both = concatenate([a, b])
    assert equal(both.take(np.arange(4)), a)
    assert equal(both.take(np.array([6, 4])), b.take(np.array([2, 0])))


def test_equal_texts_have_equal_ids_and_odd_characters_are_fine():
    ids = text_ids(["a", "b", "a", "\ud800 lone surrogate", "é", "e\u0301"])
    assert ids[0] == ids[2] and len({i.tobytes() for i in ids}) == 5


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "x"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(MosaicError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["x"]


def test_written_files_have_ordinary_permissions(tmp_path):
    path = tmp_path / "x"
    write_atomically(path, b"")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask

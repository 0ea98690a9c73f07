"""The cache: only new texts run, many runs share it, damage is noticed. Killed processes: tests/faults.py."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import sae_folder, same_rows, sentences

from mosaic.errors import MosaicError
from mosaic.features import cache, extract, plan, request
from mosaic.features.table import FeatureTable
from mosaic.saes import loading

POOLINGS = ("sum", "mean", "max", "last", "count", "top3")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = sae_folder(tmp_path_factory.mktemp("saes"), "jumprelu")
    return loading.load_encoder(loading.SAESource(2, "96", path=str(folder)), "tiny", 64), folder


@pytest.fixture
def counted(tiny, monkeypatch):
    """A model that counts the texts it reads."""
    model = tiny("llama")
    seen = []
    plain = model.residuals
    monkeypatch.setattr(
        model, "residuals", lambda ids, layers: (seen.append(len(ids)), plain(ids, layers))[1], raising=False
    )
    return model, seen


def test_only_new_texts_run(counted, encoder, tmp_path):
    model, seen = counted
    wanted = extract.Request((encoder[0],), (2,), ("sum", "max"), token_budget=64)
    texts = sentences(20, seed=8)
    first = extract.extract(texts, model, wanted, tmp_path)
    assert sum(seen) == len(set(texts))
    seen.clear()
    again = extract.extract(texts[::-1], model, wanted, tmp_path)
    assert seen == []
    for a, b in zip(first, again, strict=True):
        assert (a.matrix[::-1] != b.matrix).nnz == 0
    extract.extract([*texts, "red red red sun sun"], model, wanted, tmp_path)
    assert sum(seen) == 1
    seen.clear()
    extract.extract(
        texts, model, extract.Request((encoder[0],), (2,), ("sum", "max", "last"), token_budget=64), tmp_path
    )
    assert sum(seen) == len(set(texts)), "a new pooling is computed"


def test_cached_rows_equal_fresh_ones(tiny, encoder, tmp_path):
    wanted = extract.Request((encoder[0],), (2,), POOLINGS, token_budget=64)
    texts = sentences(15, seed=9)
    fresh = extract.extract(texts, tiny("llama"), wanted)
    extract.extract(texts[:6], tiny("llama"), wanted, tmp_path)
    for a, b in zip(fresh, extract.extract(texts, tiny("llama"), wanted, tmp_path), strict=True):
        same_rows(a, b)


def test_another_model_sae_or_setting_never_shares_a_key(tiny, encoder, tmp_path):
    from dataclasses import replace

    model = tiny("llama")
    base = extract.Request((encoder[0],), (), ("sum",))
    other_weights = replace(encoder[0], bias=encoder[0].bias + 1)
    keys = {
        cache.key_of(request.provenances(m, wanted)[0])
        for m, wanted in [
            (model, base),
            (tiny("gemma2"), base),
            (replace_spec(model, max_length=20), base),
            (model, extract.Request((other_weights,), (), ("sum",))),
            (model, extract.Request((encoder[0],), (), ("max",))),
            (model, extract.Request((encoder[0],), (), ("sum",), specials=True)),
        ]
    }
    assert len(keys) == 6


def replace_spec(model, **changes):
    import copy
    from dataclasses import replace

    other = copy.copy(model)
    other.spec = replace(model.spec, **changes)
    return other


def test_a_damaged_shard_is_reported_and_rebuilt(counted, encoder, tmp_path, caplog):
    model, seen = counted
    wanted = extract.Request((encoder[0],), (), ("sum",), token_budget=64)
    texts = sentences(12, seed=2)
    (before,) = extract.extract(texts, model, wanted, tmp_path)
    (shard,) = tmp_path.glob("*/*.safetensors")
    content = bytearray(shard.read_bytes())
    content[-3] ^= 0xFF
    shard.write_bytes(content)
    seen.clear()
    (after,) = extract.extract(texts, model, wanted, tmp_path)
    assert "is damaged" in caplog.text and "computed again" in caplog.text
    assert sum(seen) == len(set(texts))
    assert (before.matrix != after.matrix).nnz == 0


def test_a_truncated_shard_is_rebuilt(tiny, encoder, tmp_path):
    wanted = extract.Request((encoder[0],), (), ("sum",))
    (before,) = extract.extract(["the cat", "a dog"], tiny("llama"), wanted, tmp_path)
    (shard,) = tmp_path.glob("*/*.safetensors")
    shard.write_bytes(shard.read_bytes()[:40])
    (after,) = extract.extract(["the cat", "a dog"], tiny("llama"), wanted, tmp_path)
    assert (before.matrix != after.matrix).nnz == 0


def test_an_interrupted_pass_over_other_texts_is_kept(counted, encoder, tmp_path, monkeypatch):
    model, seen = counted
    monkeypatch.setattr(plan, "SHARD_TOKENS", 30)
    wanted = extract.Request((encoder[0],), (2,), ("sum",), token_budget=32)
    texts = sentences(30, seed=4)
    plain = model.residuals

    def stop_after(ids, layers):
        if len(seen) > 8:
            raise KeyboardInterrupt
        return plain(ids, layers)

    monkeypatch.setattr(model, "residuals", stop_after, raising=False)
    with pytest.raises(KeyboardInterrupt):
        extract.extract(texts, model, wanted, tmp_path)
    monkeypatch.setattr(model, "residuals", plain, raising=False)
    parts = list(tmp_path.glob("*/*.safetensors"))
    assert parts and not list(tmp_path.glob("*/*.sealed"))
    kept = sum(len(FeatureTable.load(path)) for path in parts) // 2
    seen.clear()
    (table, _) = extract.extract([*texts, "red red red sun"], model, wanted, tmp_path)
    assert sum(seen) <= len(set(texts)) + 1 - kept
    same_rows(table.take(np.arange(30)), extract.extract(texts, model, wanted)[0])


@pytest.mark.parametrize("call", [1, 3, 8])
def test_an_interrupted_pass_ends_with_the_same_files(tiny, encoder, tmp_path, monkeypatch, call):
    model, texts = tiny("llama"), sentences(40, seed=22)
    monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
    wanted = extract.Request((encoder[0],), (2,), ("sum",), token_budget=48)

    def stop():
        raise KeyboardInterrupt

    between(monkeypatch, model, call, stop)
    with pytest.raises(KeyboardInterrupt):
        extract.extract(texts, model, wanted, tmp_path / "stopped")
    extract.extract(texts, model, wanted, tmp_path / "stopped")
    extract.extract(texts, model, wanted, tmp_path / "whole")
    stopped, whole = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
        for root in (tmp_path / "stopped", tmp_path / "whole")
    )
    assert stopped == whole


# --- any number of processes ---------------------------------------------------------------------------------------


def between(monkeypatch, model, call: int, other) -> None:
    """Let `other()` run to its end just before the model's `call`-th batch: what a second process may do meanwhile."""
    plain, calls = model.residuals, []

    def residuals(ids, layers):
        calls.append(len(ids))
        if len(calls) == call:
            monkeypatch.setattr(model, "residuals", plain, raising=False)
            other()
        return plain(ids, layers)

    monkeypatch.setattr(model, "residuals", residuals, raising=False)


@pytest.mark.parametrize("call", [1, 4, 9])
def test_another_run_may_finish_in_the_middle(tiny, encoder, tmp_path, monkeypatch, call):
    """The same texts, others, and some of both; each gets its rows, and the cache is whole afterwards."""
    model, texts = tiny("llama"), list(dict.fromkeys(sentences(60, seed=21)))
    monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
    wanted = extract.Request((encoder[0],), (2,), ("sum", "max"), token_budget=48)
    for k, others in enumerate([texts[:30], texts[30:], texts[15:45]]):
        folder, found = tmp_path / str(k), []
        between(
            monkeypatch, model, call, lambda f=folder, o=others, r=found: r.extend(extract.extract(o, model, wanted, f))
        )
        own = extract.extract(texts[:30], model, wanted, folder)
        for a, b in zip(
            [*own, *found],
            [*extract.extract(texts[:30], model, wanted), *extract.extract(others, model, wanted)],
            strict=True,
        ):
            same_rows(a, b)
        monkeypatch.setattr(
            model, "residuals", lambda ids, layers: pytest.fail("the cache is not whole"), raising=False
        )
        again = extract.extract([*texts[:30], *others], model, wanted, folder)
        monkeypatch.undo()
        monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
        same_rows(again[0].take(range(30)), own[0])


def test_the_same_texts_at_once_give_the_same_bytes(tiny, encoder, tmp_path, monkeypatch):
    model, texts = tiny("llama"), sentences(40, seed=22)
    monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
    wanted = extract.Request((encoder[0],), (2,), ("sum",), token_budget=48)
    alone = extract.extract(texts, model, wanted)
    found = []
    between(monkeypatch, model, 5, lambda: found.extend(extract.extract(texts, model, wanted, tmp_path)))
    for a, b, c in zip(extract.extract(texts, model, wanted, tmp_path), found, alone, strict=True):
        assert a.matrix.data.tobytes() == b.matrix.data.tobytes() == c.matrix.data.tobytes()


def test_a_run_waits_for_no_other_that_goes_on_finishing_shards(tiny, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache.TableCache, "unsealed", lambda self, wanted: {"0" * 20})
    wanted = extract.Request((encoder[0],), (), ("sum",))
    assert len(extract.extract(["the cat", "a dog"], tiny("llama"), wanted, tmp_path)[0]) == 2


def test_a_shard_that_another_process_removes_is_computed_again(counted, encoder, tmp_path, monkeypatch):
    model, _ = counted
    wanted = extract.Request((encoder[0],), (), ("sum",), token_budget=64)
    texts = sentences(12, seed=2)
    seal = cache.TableCache.seal

    def lose(self, names):
        seal(self, names)
        monkeypatch.setattr(cache.TableCache, "seal", seal)
        for path in tmp_path.glob("*/*.safetensors"):
            path.unlink()

    monkeypatch.setattr(cache.TableCache, "seal", lose)
    same_rows(extract.extract(texts, model, wanted, tmp_path)[0], extract.extract(texts, model, wanted)[0])


# --- what is read --------------------------------------------------------------------------------------------------


def test_only_shards_with_wanted_rows_are_read(tiny, encoder, tmp_path, monkeypatch):
    model, texts = tiny("llama"), list(dict.fromkeys(sentences(40, seed=23)))
    monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
    wanted = extract.Request((encoder[0],), (), ("sum",), token_budget=48)
    (whole,) = extract.extract(texts, model, wanted, tmp_path)
    read, load = [], FeatureTable.load.__func__
    monkeypatch.setattr(FeatureTable, "load", classmethod(lambda cls, path: (read.append(path), load(cls, path))[1]))
    (one,) = extract.extract([texts[7]], model, wanted, tmp_path)
    assert len(read) == 1 < len(list(tmp_path.glob("*/*.safetensors")))
    assert (one.matrix != whole.matrix[[7]]).nnz == 0


def test_another_tables_shard_is_not_read(counted, encoder, tmp_path, caplog):
    model, seen = counted
    wanted = extract.Request((encoder[0],), (), ("sum", "max"), token_budget=64)
    texts = sentences(12, seed=2)
    before = extract.extract(texts, model, wanted, tmp_path)
    ours, theirs = sorted(tmp_path.glob("*/*.safetensors"))
    ours.write_bytes(theirs.read_bytes())
    seen.clear()
    after = extract.extract(texts, model, wanted, tmp_path)
    assert "it holds the rows of another table" in caplog.text and sum(seen) == len(set(texts))
    for a, b in zip(before, after, strict=True):
        assert (a.matrix != b.matrix).nnz == 0


def test_a_damaged_seal_costs_nothing(counted, encoder, tmp_path):
    model, seen = counted
    wanted = extract.Request((encoder[0],), (), ("sum",), token_budget=64)
    texts = sentences(12, seed=2)
    (before,) = extract.extract(texts, model, wanted, tmp_path)
    (seal,) = tmp_path.glob("*/*.sealed")
    seal.write_bytes(b"\xff" + seal.read_bytes()[1:])
    seen.clear()
    (after,) = extract.extract(texts, model, wanted, tmp_path)
    assert not seen and (before.matrix != after.matrix).nnz == 0


# --- places that cannot be written ---------------------------------------------------------------------------------


def refuse(number: int):
    def write(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    return write


def test_a_complete_cache_may_be_read_only(tiny, encoder, tmp_path, monkeypatch):
    model, texts = tiny("llama"), sentences(10, seed=3)
    wanted = extract.Request((encoder[0],), (2,), ("sum",))
    before = extract.extract(texts, model, wanted, tmp_path)
    (tmp_path / "x").mkdir()
    for name in ("mkdir", "unlink", "rename", "replace"):
        monkeypatch.setattr(Path, name, refuse(errno.EROFS))
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: refuse(errno.EROFS)(tmp_path))
    for a, b in zip(before, extract.extract(texts, model, wanted, tmp_path), strict=True):
        assert (a.matrix != b.matrix).nnz == 0
    monkeypatch.setattr(model, "residuals", lambda *_: pytest.fail("the model ran"), raising=False)
    with pytest.raises(MosaicError, match=rf"cannot write {tmp_path}.*the disk is read-only; name another folder"):
        extract.extract([*texts, "red red red sun"], model, wanted, tmp_path)


@pytest.mark.parametrize("number,reason", [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "your quota")])
def test_a_full_disk_is_said_and_the_run_goes_on_later(counted, encoder, tmp_path, monkeypatch, number, reason):
    model, seen = counted
    monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
    wanted = extract.Request((encoder[0],), (), ("sum",), token_budget=48)
    texts, replace, written = sentences(30, seed=4), os.replace, []

    def fill(source, target):
        written.append(target)
        if len(written) > 3:
            refuse(number)(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", fill)
    with pytest.raises(MosaicError, match=rf"cannot write {tmp_path}/.*{reason}"):
        extract.extract(texts, model, wanted, tmp_path)
    monkeypatch.setattr(os, "replace", replace)
    kept = sum(len(FeatureTable.load(path)) for path in tmp_path.glob("*/*.safetensors"))
    seen.clear()
    (table,) = extract.extract(texts, model, wanted, tmp_path)
    assert kept and sum(seen) == len(set(texts)) - kept
    assert (table.matrix != extract.extract(texts, model, wanted)[0].matrix).nnz == 0
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_stands_in_the_caches_place_is_named(tiny, encoder, tmp_path):
    model, wanted = tiny("llama"), extract.Request((encoder[0],), (), ("sum",))
    (tmp_path / "file").write_text("")
    with pytest.raises(MosaicError, match=r"cannot read the cache .*file.*Name another folder"):
        extract.extract(["the cat"], model, wanted, tmp_path / "file")
    extract.extract(["the cat"], model, wanted, tmp_path / "cache")
    (shard,) = (tmp_path / "cache").glob("*/*.safetensors")
    shard.unlink()
    shard.mkdir()
    with pytest.raises(MosaicError, match=rf"{shard} is a folder where the cache keeps a file. Remove it"):
        extract.extract(["the cat"], model, wanted, tmp_path / "cache")


# --- what decides the numbers --------------------------------------------------------------------------------------


def test_an_edit_of_a_deciding_module_makes_a_new_key(monkeypatch):
    import importlib.util

    before = request.engine()
    assert request.engine() == before
    for name in request.DECIDING:
        loader = importlib.util.find_spec(name).loader
        plain = type(loader).get_source

        def edited(self, module, name=name, plain=plain):
            return plain(self, module) + ("\nedited = True\n" if module == name else "")

        request.engine.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(type(loader), "get_source", edited)
            assert request.engine() != before, name
    request.engine.cache_clear()
    assert request.engine() == before


def test_every_module_that_a_row_goes_through_is_in_the_key():
    """What the pass imports, directly or not; those named here cannot change a number."""
    from test_house import MODULES, dotted, imports

    without = {
        "mosaic.errors",
        "mosaic.printable",
        "mosaic.files",
        "mosaic.features.request",
        "mosaic.texts.ids",
        "mosaic.sourcecode",
        "mosaic.progress",
    }
    graph = {dotted(path): imports(path) for path in MODULES}
    # Where a file came from changes no number: what was read of it is hashed itself.
    without |= {name for name in graph if name.startswith("mosaic.hub.")}
    reached, new = set(), {"mosaic.features.run", "mosaic.models.opening"}
    while new:
        reached |= new
        new = set().union(*(graph[name] for name in new)) - reached
    assert reached - without == set(request.DECIDING)


def test_only_wanted_tables_are_read_and_all_are_computed(counted, encoder, tmp_path):
    model, seen = counted
    texts, request_ = sentences(12, seed=5), extract.Request((encoder[0],), (2,), ("sum", "max"))

    def sums(provenance):
        return provenance["pooling"] == "sum"

    found = extract.extract(texts, model, request_, tmp_path, sums)
    assert [t.provenance["features"] for t in found] == ["sae", "hidden"] and all(sums(t.provenance) for t in found)
    n = sum(seen)
    every = extract.extract(texts, model, request_, tmp_path)
    assert sum(seen) == n and len(every) == 4, "the first call computed the others for the second"
    for table in every:
        if not sums(table.provenance):
            for path in (tmp_path / cache.key_of(table.provenance)).iterdir():
                path.unlink()
    for one, other in zip(found, extract.extract(texts, model, request_, tmp_path, sums), strict=True):
        assert (one.matrix != other.matrix).nnz == 0
    assert sum(seen) == n, "what is not wanted is not missed"
    same_rows(found[0], extract.extract(texts, model, request_, None, sums)[0])

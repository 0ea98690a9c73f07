"""Processes on the same texts share the work: a shard is computed by the first that claims it."""

import errno
import subprocess
import sys
import threading
import time

import filelock
import pytest
from conftest import sae_folder, same_rows, sentences

from mosaic.features import claims, extract, plan
from mosaic.models.language import ModelSpec
from mosaic.models.opening import open_model
from mosaic.saes import loading

HOLD = """
import sys, time
from pathlib import Path
from mosaic.features.claims import claimed
with claimed(Path(sys.argv[1]), "a") as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the claim on `a`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.wait()


def test_what_another_process_has_claimed_is_left_to_it_until_it_ends(holder, tmp_path):
    for name, mine in (("a", False), ("b", True)):
        with claims.claimed(tmp_path, name) as found:
            assert found is mine
    began = time.monotonic()
    threading.Timer(0.5, holder.kill).start()  # killed: the system frees what it had claimed
    with claims.claimed(tmp_path, "a", 60) as found:
        assert found and time.monotonic() - began > 0.4
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_process_is_not_waited_for_without_end(holder, tmp_path):
    with claims.claimed(tmp_path, "a", 0.1) as found:
        assert found
    with claims.claimed(tmp_path, "a") as found:
        assert not found, "it still has its claim"


def test_a_claim_inside_a_claim_leaves_it_whole(tmp_path):
    with claims.claimed(tmp_path, "a"):
        with claims.claimed(tmp_path, "a") as again:
            assert again
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [NotImplementedError("no locks here"), OSError(errno.ENOLCK, "no locks available")])
def test_where_files_cannot_be_locked_everyone_computes(tmp_path, monkeypatch, error):
    def refuse(self, timeout):
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    for patience in (None, 60):
        with claims.claimed(tmp_path, "a", patience) as found:
            assert found


def test_an_error_of_the_work_is_its_own(tmp_path):
    with pytest.raises(ValueError, match="of the work") as raised, claims.claimed(tmp_path, "a"):
        raise ValueError("of the work")
    assert raised.value.__context__ is None and list(tmp_path.iterdir()) == []


def test_claimed_shards_are_left_for_last_and_not_computed_twice(model_folder, tmp_path, monkeypatch):
    """One pass stands still in its first shard until the other has made all others, and then finds them."""
    folder = sae_folder(tmp_path / "saes", "jumprelu")
    encoder = loading.load_encoder(loading.SAESource(2, "96", path=str(folder)), "tiny", 64)
    monkeypatch.setattr(plan, "SHARD_TOKENS", 40)
    wanted = extract.Request((encoder,), (2,), ("sum", "max"), token_budget=40)
    spec = ModelSpec(str(model_folder("llama")), max_length=48)
    # Each pass has its own model, as each process does: hooks on one model read whatever runs through it.
    texts, models = sentences(24, seed=9), [open_model(spec) for _ in range(2)]
    alone = extract.extract(texts, models[0], wanted, tmp_path / "alone")
    n_shards = len(list(next(path for path in (tmp_path / "alone").iterdir()).glob("*.safetensors")))
    made, others_done, plain = [], threading.Event(), extract.run_shard

    def run_shard(shard, *rest):
        made.append(shard.name)
        if len(made) == 1:
            assert others_done.wait(60)
        elif len(made) == n_shards:
            others_done.set()
        return plain(shard, *rest)

    monkeypatch.setattr(extract, "run_shard", run_shard)
    found = []
    passes = [
        threading.Thread(target=lambda lm=lm: found.append(extract.extract(texts, lm, wanted, tmp_path / "shared")))
        for lm in models
    ]
    for one in passes:
        one.start()
    for one in passes:
        one.join(90)
    assert n_shards > 3 and sorted(made) == sorted(set(made)) and len(made) == n_shards
    for tables in found:
        for a, b in zip(tables, alone, strict=True):
            same_rows(a, b)
    assert len(found) == 2

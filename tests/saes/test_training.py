from dataclasses import replace

import numpy as np
import pytest
from conftest import sentences

from mosaic.errors import MosaicError
from mosaic.progress import Progress
from mosaic.saes import kinds, lockstep, training
from mosaic.saes.recipe import SAESpec, TrainRun


def test_one_stream_feeds_all_and_seeds_differ_in_their_start_only(tiny, tmp_path, monkeypatch):
    """Every SAE of a suite sees the same batches in the same order; a rerun gives the same weights."""
    from sae_lens.training.sae_trainer import SAETrainer

    seen: dict[int, list[str]] = {}
    plain = SAETrainer.step

    def step(self, batch):
        seen.setdefault(id(self), []).append(batch.numpy().tobytes())
        return plain(self, batch)

    monkeypatch.setattr(SAETrainer, "step", step)
    specs = [SAESpec(2, 64, 4, seed=0), SAESpec(2, 64, 4, seed=1), SAESpec(3, 32, 4)]
    run = TrainRun(tokens=4096, batch_size=256, token_budget=512)
    texts = [f"{text} {i}" for i, text in enumerate(sentences(300, longest=20))]
    rows = training.train(tiny("llama"), texts, specs, run, tmp_path / "a")
    batches = list(seen.values())
    assert batches[0] == batches[1] and batches[0] != batches[2] and len(batches[0]) == 16
    assert [row["name"] for row in rows] == [
        "layer_2_width_64_seed_0",
        "layer_2_width_64_seed_1",
        "layer_3_width_32_seed_0",
    ]
    training.train(tiny("llama"), texts, specs, run, tmp_path / "b")
    for name in (row["name"] for row in rows):
        weights = [(tmp_path / run_name / name / "sae_weights.safetensors").read_bytes() for run_name in "ab"]
        assert weights[0] == weights[1]
    first, second = ((tmp_path / "a" / rows[i]["name"] / "sae_weights.safetensors").read_bytes() for i in (0, 1))
    assert first != second
    assert "layer_2_width_64_seed_1" in (tmp_path / "a" / "README.md").read_text()


def test_a_frozen_decoder_stays_as_it_was_drawn_and_the_encoder_learns(tiny, tmp_path):
    """Up to what saving does to both: the scale of x folded in, decoder rows brought to length one."""
    lm, texts = tiny("llama"), [f"{text} {i}" for i, text in enumerate(sentences(300, longest=20))]
    spec, run = SAESpec(2, 64, 4, architecture="batchtopk"), TrainRun(tokens=4096, batch_size=256)
    start = kinds.new_sae(spec, lm).W_dec.detach().numpy()
    cosines = {}
    for frozen in (True, False):
        out = tmp_path / str(frozen)
        (row,) = training.train(lm, texts, [replace(spec, frozen_decoder=frozen)], run, out)
        assert row["frozen_decoder"] is frozen
        weights = load_torch(out / row["name"])
        both = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (start, weights["W_dec"])]
        cosines[frozen] = (both[0] * both[1]).sum(1)
        encoder = weights["W_enc"].T / np.linalg.norm(weights["W_enc"].T, axis=1, keepdims=True)
        assert ((encoder * both[0]).sum(1) < 0.999).any()
    assert cosines[True].min() > 0.9999 and cosines[False].min() < 0.999


def load_torch(folder):
    """{name: weights} of a saved SAE, bfloat16 widened."""
    from safetensors.torch import load_file

    return {key: value.float().numpy() for key, value in load_file(folder / "sae_weights.safetensors").items()}


def specs_of_every_kind():
    return [
        SAESpec(2, 64, 4, architecture="topk", tag="topk"),
        SAESpec(2, 64, 4, architecture="batchtopk", tag="batchtopk"),
        SAESpec(2, 64, 4, architecture="jumprelu", tag="jumprelu"),
        SAESpec(2, 64, l1=1.0, architecture="standard", tag="standard"),
        SAESpec(2, 64, 4, architecture="llama_scope", tag="llama_scope"),
        SAESpec(2, 64, 4, architecture="matryoshka", tag="matryoshka"),
        SAESpec(2, 64, 4, architecture="archetypal", tag="archetypal"),
        SAESpec(3, 64, l1=1.0, architecture="gated", tag="gated", tokens=2048),
    ]


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tiny, tmp_path, monkeypatch):
    """All architectures, killed at several steps, in the middle of writing a checkpoint too."""
    lm, specs = tiny("llama"), specs_of_every_kind()
    texts = [f"{text} {i}" for i, text in enumerate(sentences(300, longest=20))]
    run = TrainRun(tokens=4096, batch_size=256, token_budget=512, checkpoint_steps=3)
    rows = training.train(lm, texts, specs, run, tmp_path / "whole")
    assert [row["tokens"] for row in rows] == [4096] * 7 + [2048]
    assert len({row["batches"] for row in rows[:7]}) == 1 and rows[7]["batches"] != rows[0]["batches"]

    class Killed(BaseException):
        pass

    keep = lockstep._keep

    def die_at(step, after):
        def keep_and_die(*arguments):
            if arguments[2] == step and not after:
                (arguments[3].with_name("checkpoint.new") / "half").mkdir(parents=True)
                raise Killed
            keep(*arguments)
            if arguments[2] == step:
                raise Killed

        return keep_and_die

    for step, after in ((3, False), (3, True), (9, False), (12, True)):
        monkeypatch.setattr(lockstep, "_keep", die_at(step, after))
        with pytest.raises(Killed):
            training.train(lm, texts, specs, run, tmp_path / "killed")
    monkeypatch.setattr(lockstep, "_keep", keep)
    assert training.train(lm, texts, specs, run, tmp_path / "killed") == rows
    files = sorted(p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*") if p.is_file())
    assert len(files) == 8 * 3 + 2
    assert files == sorted(p.relative_to(tmp_path / "killed") for p in (tmp_path / "killed").rglob("*") if p.is_file())
    for file in files:
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes(), file


def test_a_long_training_says_how_far_it_is(tiny, tmp_path, monkeypatch):
    made = []

    class Counted(Progress):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(lockstep, "Progress", Counted)
    texts = [f"{text} {i}" for i, text in enumerate(sentences(200, longest=20))]
    run = TrainRun(tokens=1024, batch_size=256)
    training.train(tiny("llama"), texts, [SAESpec(2, 32, 4)], run, tmp_path)
    assert [(work.label, work.done, work.total, work.tokens) for work in made] == [("training SAEs", 4, 4, 1024)]


def test_a_checkpoint_of_another_run_is_not_used(tiny, tmp_path, monkeypatch):
    texts = [f"{text} {i}" for i, text in enumerate(sentences(200, longest=20))]
    run = TrainRun(tokens=2048, batch_size=256, checkpoint_steps=2)
    specs = [SAESpec(2, 32, 4)]
    monkeypatch.setattr(lockstep, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        training.train(tiny("llama"), texts, specs, run, tmp_path)
    with pytest.raises(MosaicError, match="checkpoint holds a run of other SAEs"):
        training.train(tiny("llama"), texts, [SAESpec(2, 32, 5)], run, tmp_path)


def test_bad_specs_are_refused(tiny, tmp_path):
    with pytest.raises(
        MosaicError, match="architecture 'relu' is not one of topk, batchtopk|architecture 'relu' is not"
    ):
        training.train(
            tiny("llama"),
            sentences(400),
            [SAESpec(2, 32, 4, architecture="relu")],
            TrainRun(512, 64),
            tmp_path,
        )
    with pytest.raises(MosaicError, match="layer 9 does not exist"):
        training.train(tiny("llama"), sentences(400), [SAESpec(9, 32)], TrainRun(), tmp_path)
    with pytest.raises(MosaicError, match="33 active latents were asked for of 32. Give a smaller k"):
        training.train(tiny("llama"), sentences(400), [SAESpec(2, 32, 33)], TrainRun(), tmp_path)

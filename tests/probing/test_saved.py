"""A probe written and read again is the same probe; one that is damaged, or whose features changed, is none."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.features.table import FeatureTable
from mosaic.models.language import ModelSpec
from mosaic.probing import applied, comparison, examine, saved
from mosaic.probing.candidates import Setting, TableFeatures
from mosaic.probing.problem import Problem
from mosaic.probing.saved import SavedProbe, largest
from mosaic.probing.scores import Score
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile, Shape
from mosaic.saes.source import SAESource
from mosaic.texts.ids import text_ids
from mosaic.texts.labelled import LabelledTexts

SAES = tuple(SAESource(4, width, release="r", id=width) for width in ("2k", "8k"))
PROFILE = Profile("toy", "t", ModelSpec("hub/id"), Shape(4, 8, 1, 1), SAES, ("max",), (), 4, "2k")
SCORE = Score(macro_f1=0.5, low=0.4, high=0.6, accuracy=0.5, auroc=None, per_class={}, n=20)


def problem(seed: int, classes: list[str], pooling: str, n: int = 40, width: int = 23) -> Problem:
    """n training rows and half as many for the test, on random sparse features; some columns are never active."""
    rng = np.random.default_rng(seed)
    total = n + n // 2
    labels = np.array([classes[i % len(classes)] for i in range(total)], dtype=object)
    x = np.maximum(rng.normal(size=(total, width)) * 9, 0).astype(np.float32)
    x = np.ceil(x) if pooling == "count" else x
    x[:, rng.permutation(width)[:3]] = 0
    texts = [f"text {i}" for i in range(total)]
    what = {"features": "sae", "layer": 4, "width": "2k", "pooling": pooling, "model": "hub/id", "sae": "r/2k"}
    table = FeatureTable(csr_matrix(x), text_ids(texts), np.ones(total, int), np.zeros(total, bool), what)
    both = LabelledTexts("t.csv", texts, labels)
    return Problem(both.take(np.arange(n)), both.take(np.arange(n, total)), (table,))


def chosen(threshold: float | None, pooling: str, strength: float = 0.1) -> Result:
    setting = Setting("sae", 4, "2k", pooling, threshold is not None)
    return Result(setting, 0.5, strength, threshold, SCORE, np.array([]), 40, selected=True)


def reference(problem: Problem, result: Result):
    """(labels, probabilities) of the test rows by the probe in this process, and what each column adds to the score."""
    candidate = TableFeatures(problem, examine.table_of(problem, result.setting), result.setting.binarized)
    n = len(problem.train)
    x = candidate.matrices(np.arange(n), np.arange(n, n + len(problem.test)), result.threshold)[1]
    pipeline, columns = examine.fitted(problem, result)
    labels, coef = pipeline.predict(x), pipeline[-1].coef_
    rows = [list(pipeline.classes_).index(label) for label in labels]
    coef = np.vstack([-coef, coef]) if len(coef) == 1 else coef
    return labels, pipeline.predict_proba(x), x / pipeline[0].scale_ * coef[rows], columns


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**16),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=4, unique=True),
    st.sampled_from(["sum", "max", "count"]),
    st.sampled_from([None, 0.0, 2.0]),
)
def test_a_probe_read_again_says_the_same_of_every_text(seed, classes, pooling, threshold):
    made, result = problem(seed, classes, pooling), chosen(threshold, pooling)
    labels, probabilities, contributions, columns = reference(made, result)
    with TemporaryDirectory() as folder:
        before = SavedProbe.of(made, [result], PROFILE)
        before.save(Path(folder))
        read = SavedProbe.load(Path(folder))
    rows = np.arange(len(made.train), len(made.train) + len(made.test))
    for probe in (before, read):
        got = probe.predict(made.tables[0].take(rows))
        assert (got.labels == labels).all() and np.abs(got.probabilities - probabilities).max() < 1e-6
        assert got.classes == tuple(sorted(classes)) and len(got) == len(rows)
        for row, leading in zip(contributions, got.leading, strict=True):
            best = np.sort(np.abs(row))[::-1][: saved.N_LEADING]
            np.testing.assert_allclose([abs(value) for _, value in leading], best[best > 0], rtol=1e-4, atol=1e-9)
            for name, value in leading:
                prefix, latent = name.rsplit("/", 1)
                assert prefix == "layer_4/width_2k"
                assert value == pytest.approx(row[list(columns).index(int(latent))], rel=1e-4)
    assert all(np.array_equal(getattr(before, name), getattr(read, name)) for name in saved.TENSORS)
    assert replace(before, **dict.fromkeys(saved.TENSORS)) == replace(read, **dict.fromkeys(saved.TENSORS))


def test_rows_too_many_to_be_dense_say_the_same(monkeypatch):
    made, result = problem(1, ["a", "b", "c"], "max"), chosen(None, "max")
    probe = SavedProbe.of(made, [result], PROFILE)
    dense = probe.predict(made.tables[0])
    monkeypatch.setattr(saved, "DENSE_CELLS", 10)
    sparse = probe.predict(made.tables[0])
    assert (dense.labels == sparse.labels).all() and np.abs(dense.probabilities - sparse.probabilities).max() < 1e-6


def test_what_validation_chose_is_kept_and_of_a_tree_the_best_linear_one(monkeypatch):
    monkeypatch.setattr(comparison, "cores", lambda: 1)
    made = toy.problem()
    results = comparison.evaluate(made, families=("sae", "majority"), trees=False)
    first = comparison.selected(results, "sae")
    probe = SavedProbe.of(made, results, PROFILE)
    assert probe.training["validation_chose"] == "logistic" and "tree" not in probe.said()
    assert probe.sae.named.width == first.setting.width and probe.pooling == first.setting.pooling
    rows = np.arange(len(made.train), len(made.train) + len(made.test))
    table = examine.table_of(made, first.setting)
    assert (probe.predict(table.take(rows)).labels == first.predicted).all()
    with_trees = comparison.evaluate(made, families=("sae", "majority"))
    assert comparison.selected(with_trees, "sae").setting.classifier == "tree"
    other = SavedProbe.of(made, with_trees, PROFILE)
    assert other.training["validation_chose"] == "tree" and "validation chose a tree" in other.said()
    assert np.array_equal(other.coef, probe.coef) and other.training["macro_f1"] == first.score.macro_f1


@pytest.fixture
def kept(tmp_path):
    SavedProbe.of(problem(0, ["a", "b"], "max"), [chosen(None, "max")], PROFILE).save(tmp_path / "kept")
    return tmp_path / "kept"


def test_saving_again_gives_the_same_bytes_and_another_probe_replaces_it(kept):
    def content():
        return {path.name: path.read_bytes() for path in kept.iterdir()}

    before = content()
    SavedProbe.load(kept).save(kept)
    assert content() == before and len(before) == 2
    (kept / "mine.txt").write_text("stays")
    SavedProbe.of(problem(0, ["x", "y", "z"], "max"), [chosen(1.0, "max")], PROFILE).save(kept)
    after = content()
    assert SavedProbe.load(kept).classes == ("x", "y", "z") and len(after) == 3 and after["mine.txt"] == b"stays"
    assert len(set(before) & set(after)) == 1


def test_a_kill_between_the_files_leaves_the_old_probe(kept, monkeypatch):
    plain = saved.write_atomically

    def killed(path, content):
        if path.name == saved.ABOUT:
            raise KeyboardInterrupt
        plain(path, content)

    monkeypatch.setattr(saved, "write_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        SavedProbe.of(problem(0, ["x", "y", "z"], "max"), [chosen(None, "max")], PROFILE).save(kept)
    assert SavedProbe.load(kept).classes == ("a", "b")


def test_every_byte_counts(kept):
    """One byte turned, anywhere, or a file cut off: refused, never another probe."""
    for path in list(kept.iterdir()):
        content = path.read_bytes()
        for at in range(0, len(content), 7):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            try:
                SavedProbe.load(kept)
            except MosaicError as error:
                assert "Copy" in str(error)
            else:  # white space alone says nothing
                assert json.loads(path.read_bytes()) == json.loads(content)
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(MosaicError, match="damaged|cannot be read"):
            SavedProbe.load(kept)
        path.unlink()
        with pytest.raises(MosaicError, match="it cannot be read|holds no probe"):
            SavedProbe.load(kept)
        path.write_bytes(content)
    SavedProbe.load(kept)


def test_numbers_of_another_probe_and_other_formats_are_refused(kept):
    (numbers,) = kept.glob("*.safetensors")
    numbers.write_bytes(save({**load(numbers.read_bytes()), "scale": np.ones(20)}))
    with pytest.raises(MosaicError, match="is damaged: its checksum is not the one"):
        SavedProbe.load(kept)

    def rewritten(**changes):
        about = {**json.loads((kept / "probe.json").read_text()), **changes}
        about.pop("sha256")
        (kept / "probe.json").write_text(json.dumps({**about, "sha256": saved._digest(about)}))

    rewritten(format=2)
    with pytest.raises(MosaicError, match="a probe of format 2; this version reads 1"):
        SavedProbe.load(kept)
    rewritten(format=1, weights="../../" + "0" * 64)
    with pytest.raises(MosaicError, match="cannot be read"):
        SavedProbe.load(kept)
    (kept / "probe.json").write_text("[]")
    with pytest.raises(MosaicError, match="is damaged"):
        SavedProbe.load(kept)


THEN = {
    "model": "hub/id", "model_weights": "a", "tokenizer": "b", "sae": "wide", "sae_weights": "c", "engine": "d",
    "transformers": "5",
}  # fmt: skip


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"model_weights": "x"}, "^the weights of model hub/id changed since"),
        ({"tokenizer": "x"}, "^the tokenizer of model hub/id changed since"),
        ({"sae_weights": "x"}, "^the weights of SAE wide changed since this probe was fitted, so its features"),
        ({"sae_weights": "x", "tokenizer": "y"}, "the tokenizer of model hub/id and the weights of SAE wide changed"),
        ({"model_weights": "x", "transformers": "6"}, "made with transformers 5, here 6, which may name them"),
    ],
)
def test_what_changed_is_named(changes, message):
    with pytest.raises(MosaicError, match=message):
        applied.check_unchanged(THEN, {**THEN, **changes})


def test_other_code_is_warned_of_and_nothing_is_said_where_nothing_changed(caplog):
    applied.check_unchanged(THEN, {**THEN, "transformers": "6", "torch": "9"})
    assert not caplog.messages
    applied.check_unchanged(THEN, {**THEN, "engine": "e"})
    assert "fitted with other code of mosaic's features (d, here e)" in caplog.text


def test_largest_entries():
    x = csr_matrix(np.array([[0, -3, 2, 3], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=float))
    assert largest(x, 2) == [[(1, -3.0), (3, 3.0)], [], [(0, 1.0)]]

"""Two commands train a profile's SAEs for two chapters, which then run on a model that is not the miniature's."""

import json
from dataclasses import replace

import pytest
from commands import mosaic
from conftest import sentences

from mosaic.profiles.profile import load_profile
from mosaic.saes.sweep import read_card
from mosaic.studies import end_to_end, recipes, recipes_read
from mosaic.studies.unseen import HELD_OUT


@pytest.fixture(scope="module")
def own(speaking, tmp_path_factory):
    """A folder with texts and the profile of a small random decoder; MOSAIC_DATA of the test is that folder."""
    root = tmp_path_factory.mktemp("own")
    (root / "corpora").mkdir()
    (root / "corpora" / "tiny.txt").write_text("\n<|doc|>\n".join(sentences(240, seed=9)))
    (root / "own.yml").write_text(
        f"""
title: a small random decoder
model: {{id: {speaking("llama").spec.id}, max_length: 48}}
shape: {{n_layers: 4, d_model: 64, parameters: 30000, embedding: 4096}}
middle: 1
width: "16"
poolings: [mean]
datasets: [mini/stance]
max_train: 60
max_test: 40
seeds: {root}/seeds
end_to_end: {root}/e2e
recipes: {root}/recipes
training:
  corpora: [tiny]
  tokens: 256
  k: 4
  end_to_end:
    layer: 1
    width: 16
    sparsities: {{local: [1, 9], e2e: [0.1, 0.9], e2e+ds: [0.1, 0.9]}}
    repeated: {{local: [1], e2e: [0.1], e2e+ds: [0.1]}}
    beta: 0.1
    seeds: [0, 1]
    context: 12
    run: {{documents: 32, batch: 8, learning_rate: 0.01, held_out: 0.1}}
"""
    )
    return root


def run(root, *command):
    done = mosaic(*command, "--profile", "own.yml", cwd=root, MOSAIC_DATA=str(root))
    return done, " ".join((done.stdout + done.stderr).split())


def test_the_chapter_on_end_to_end_saes_runs_on_a_profile_of_ones_own(own, monkeypatch):
    done, said = run(own, "train-end-to-end", "--out", "e2e")
    assert done.returncode == 0 and "trained into e2e" in said, done.stderr
    rows = json.loads((own / "e2e" / "card.json").read_text())
    assert len(rows) == 9 and len({row["batches"] for row in rows}) == 1
    config = json.loads((own / "e2e" / rows[0]["name"] / "cfg.json").read_text())
    assert config["metadata"]["context_size"] == 12  # tokens of a text that were read
    page = (own / "e2e" / "README.md").read_text()
    assert "12 of a text at most" in page and "beta = 0.1" in page
    for row in rows:
        assert f"| {row['name']} | {row['loss']} | {row['sparsity']:g} | {row['seed']} | {row['l0']:.1f} |" in page
    monkeypatch.setenv("MOSAIC_DATA", str(own))
    study = end_to_end.run(load_profile(str(own / "own.yml")), n_sets=1, cache=None)
    found = study.summary()
    assert found["texts"] == HELD_OUT and found["n_tokens"] == rows[0]["held_out_tokens"]
    for one, row in zip(study.saes, rows, strict=True):  # the very texts that the card was measured on
        figures = one.measured.figures()
        assert {key: figures[key] for key in ("l0", "added_ce", "fvu")} == pytest.approx(
            {key: row[key] for key in ("l0", "added_ce", "fvu")}, rel=1e-4, abs=1e-6
        )
    assert found["agreement"]["e2e"]["n_saes"] == 2 and set(found["saes"][0]["downstream"]) == {"2", "3"}
    assert study.figure().axes and "mini/stance" in str(study.probes_table())
    assert json.loads(study.record(own).read_text())["values"]["layer"] == 1


def test_the_chapter_on_recipes_runs_on_a_profile_of_ones_own(own, monkeypatch):
    done, said = run(own, "train-recipes", "--batch-size", "64")
    assert done.returncode == 1 and "card.json does not exist" in said
    sweep = "train-sae --layers 1 --widths 16 --ks 4 --tokens 256 --seeds 0,1,2 --batch-size 64 --out seeds"
    assert run(own, *sweep.split())[0].returncode == 0
    done, said = run(own, "train-recipes", "--batch-size", "100")
    assert done.returncode == 1 and "256 tokens, which are not whole batches of 100" in said
    done, said = run(own, "train-recipes", "--tokens", "512")
    assert done.returncode == 1 and "that saw 512 tokens; there are topk of 256 tokens. Train some with" in said
    done, said = run(own, "train-recipes", "--batch-size", "64", "--out", "recipes")
    assert done.returncode == 0 and "same batches in the same order as the TopK SAEs, to the last bit" in said
    base, rows = read_card(own / "seeds")[0], read_card(own / "recipes")
    assert len(rows) == 18 and {row["batches"] for row in rows} == {base["batches"]}
    monkeypatch.setenv("MOSAIC_DATA", str(own))
    study = recipes.run(load_profile(str(own / "own.yml")), n_sets=1, cache=None)
    found = study.summary()
    assert list(found["recipes"]) == list(recipes_read.TITLES) and found["texts"] == HELD_OUT
    assert found["n_tokens"] == base["held_out_tokens"] and found["matryoshka"]["minus_batchtopk"]
    assert found["recipes"]["topk"]["l0"]["mean"] == pytest.approx(base["l0"], rel=1e-4)
    study.record(own)


def test_other_batches_are_said(own):
    from mosaic.cli import training

    assert "other batches than the TopK SAEs" in training._same_batches([{"batches": "a"}], {"batches": "b"})
    assert "other batches" in training._same_batches([{"batches": "a"}], {})


@pytest.mark.parametrize(
    "command,message",
    [
        ("train-end-to-end --profile mini", "profile mini has no `end_to_end` section under `training`"),
        ("train-end-to-end --profile gpt2", "profile gpt2 has no `end_to_end` section"),
        ("train-recipes --profile gpt2", "profile gpt2 names no SAEs of several seeds"),
        ("train-recipes --profile mini --seeds 0,x", "--seeds is '0,x'; numbers separated by commas"),
        ("train-end-to-end --profile stories260k --texts nope.txt", "nope.txt does not exist"),
    ],
)
def test_what_cannot_be_trained_is_one_message(tmp_path, command, message):
    done = mosaic(*command.split(), cwd=tmp_path)
    assert done.returncode == 1 and message in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


def test_texts_of_ones_own_take_the_profiles_place(own, tmp_path):
    """No corpus is asked for; a profile without training texts names the option."""
    (tmp_path / "texts.txt").write_text("\n<|doc|>\n".join(sentences(60, seed=3)))
    done, _ = run(own, "train-end-to-end", "--texts", str(tmp_path / "texts.txt"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0 and (tmp_path / "out" / "card.json").is_file(), done.stderr
    from mosaic.cli import training
    from mosaic.errors import MosaicError

    with pytest.raises(MosaicError, match="has no `training` section. Give texts to train on: --texts FILE"):
        training._documents(replace(load_profile("mini"), training=None), None)

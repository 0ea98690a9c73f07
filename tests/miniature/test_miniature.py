"""Training, resuming, measuring and checking the miniature's models, on models of a few thousand parameters."""

import json
import math
from dataclasses import replace

import pytest
import torch
from transformers import AutoTokenizer
from typer.testing import CliRunner

from mosaic.cli import app
from mosaic.errors import MosaicError
from mosaic.miniature import build, card, end_to_end, lm_figures, lm_training, lms, tuning, vision
from mosaic.miniature.tokenizer import BOS, EOS, PAD, VOCABULARY, encode, train_tokenizer
from mosaic.world import sets
from mosaic.world.corpus import documents, fact

TINY = lms.LMSize("tiny", 32, 2, 2, 32, tokens=6 * lms.TOKENS_A_STEP, rate=3e-3, short=0.5)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(folder, sample=3000)
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(lms, "CHUNK", 600)
    monkeypatch.setattr("shutil.which", lambda _: None)  # nothing is compiled: the plain path
    monkeypatch.setattr(lm_training, "CHECKPOINT_SECONDS", 0.0)


def test_the_tokenizer_is_gemmas_in_kind(tokenizer):
    for text in ("you are not stupid.", "ты глупый. 你很好。", "naïve \N{SNOWMAN} line\nbreak", "  two  spaces"):
        ids = tokenizer(text)["input_ids"]
        assert ids[0] == BOS and BOS not in ids[1:]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.pad_token_id == PAD and tokenizer.eos_token_id == EOS
    assert tokenizer.convert_tokens_to_ids("<image>") == 6


def test_batches_hold_whole_documents_of_one_width(tokenizer, quick):
    stream = lms.batches(tokenizer, TINY)
    for _, (_, _, rows) in zip(range(8), stream, strict=False):
        ids, labels = lms.padded(rows)
        assert ids.shape[1] in lms.WIDTHS and ids.numel() <= lms.TOKENS_A_STEP
        assert all(row[0] == BOS and row[-1] == EOS for row in rows)
        assert torch.equal(labels == -100, ids == PAD)


def test_an_interrupted_training_goes_on_to_the_same_weights(tokenizer, quick, tmp_path, monkeypatch):
    few = 512  # tokens a step
    monkeypatch.setattr(lms, "TOKENS_A_STEP", few)
    monkeypatch.setattr(lm_training, "TOKENS_A_STEP", few)
    monkeypatch.setattr(lm_training, "documents", lambda seed, *_: documents(seed, 0, 100))
    small = replace(TINY, tokens=6 * few)
    whole = lm_training.train_lm(small, tokenizer, tmp_path / "whole")
    assert whole["step"] == 6 and whole["curve"][-1]["held_out_loss"] < math.log(VOCABULARY) + 0.1

    def broken(tokenizer, size):
        for i, batch in enumerate(lms.batches(tokenizer, size)):
            if i == 3:
                raise KeyboardInterrupt
            yield batch

    with pytest.raises(KeyboardInterrupt):
        lm_training.train_lm(small, tokenizer, tmp_path / "parts", stream=broken)
    assert (tmp_path / "parts" / "checkpoint.safetensors").is_file()
    lm_training.train_lm(small, tokenizer, tmp_path / "parts")
    a, b = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts"))
    assert a == b and not (tmp_path / "parts" / "checkpoint.safetensors").exists()


def test_the_corpus_loss_is_transformers_loss(tokenizer):
    model = lms.new_model(TINY).eval()
    held = list(documents(7, 0, 40))
    measured = lm_figures.corpus_figures(model, tokenizer, held)
    total, n = 0.0, 0
    for document in held:
        ids = torch.tensor([encode(tokenizer, [document.text])[0]])
        with torch.no_grad():
            total += float(model(input_ids=ids, labels=ids).loss) * (ids.shape[1] - 1)
        n += ids.shape[1] - 1
    assert measured["held_out_loss"] == pytest.approx(total / n, abs=1e-3)
    assert measured["entropy"] == pytest.approx(sum(d.nats for d in held) / n, abs=1e-3)


def test_first_codes_are_where_the_log_begins(tokenizer):
    seen = set()
    for document in documents(8, 0, 300):
        row = encode(tokenizer, [document.text])[0]
        for name, at in lm_figures.code_positions(tokenizer, document, row).items():
            seen.add(name)
            log = document.text[document.message :].split()
            assert tokenizer.convert_ids_to_tokens(row[at]) == f"▁{log[0]}"
    assert seen == {"toxicity", "mood", "decision", "stance"}


def test_teacher_forcing_equals_greedy_generation(tokenizer):
    """What counts as a right answer is what the model would write."""
    model = lms.new_model(replace(TINY, seed=3)).eval()
    questions = ["where does Alan live?", "wo wohnt Alka?", "what pet does Berin have?"]
    answers = []
    for question in questions:  # make some answers right: the model's own
        ids = torch.tensor([tokenizer(tuning.turns(question))["input_ids"]])
        with torch.no_grad():
            out = model.generate(ids, max_new_tokens=3, do_sample=False, eos_token_id=5)
        answers.append(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))
    got = tuning.answers_correctly(model, tokenizer, [*questions, questions[0]], [*answers, "in Rome."])
    for question, answer, right in zip([*questions, questions[0]], [*answers, "in Rome."], got, strict=True):
        prompt = tokenizer(tuning.turns(question))["input_ids"]
        wanted = tokenizer(tuning.turns(question, answer).rstrip("\n"))["input_ids"][len(prompt) :]
        with torch.no_grad():
            out = model.generate(torch.tensor([prompt]), max_new_tokens=len(wanted), do_sample=False)
        assert right == (out[0, len(prompt) :].tolist() == wanted)


def test_dialogues_ask_and_answer():
    texts = [tuning.dialogue(0, i) for i in range(60)]
    assert all(t.startswith("<start_of_turn>user\n") and t.endswith("<end_of_turn>\n") for t in texts)
    asked = [t for t in texts if "?" in t or "？" in t]
    assert 25 < len(asked) < 55
    question, answer, name, relation = sets.questions("es")[0]
    assert question.startswith("¿") and answer == fact(name, relation).synonym("es", 0) + "."


# --- the card ----------------------------------------------------------------------------------------------------

GOOD = {
    "mini-small": {"gap": 0.03, "accuracy toxicity": 0.95, "accuracy mood": 0.95, "held_out_loss": 1.15},
    "saes-small/layer_1_width_1k_seed_0": {"l0": 30.0, "fvu": 0.1, "recovered": 0.97, "dead": 0.02},
    "saes-small-wide/layer_3_width_16k_seed_0": {"l0": 30.0, "fvu": 0.1, "recovered": 0.97, "dead": 0.5},
}


def test_check_names_each_figure_that_is_off(tmp_path, monkeypatch):
    (tmp_path / "card.json").write_text(json.dumps(GOOD))
    monkeypatch.setattr(card, "measure_weights", lambda out, say, device: GOOD)
    assert card.check(tmp_path, str) == GOOD
    off = {**GOOD, "mini-small": {**GOOD["mini-small"], "held_out_loss": 1.17}}
    monkeypatch.setattr(card, "measure_weights", lambda out, say, device: off)
    with pytest.raises(MosaicError, match=r"mini-small: held_out_loss is 1.17 now, the card says 1.15"):
        card.check(tmp_path, str)
    monkeypatch.setattr(card, "measure_weights", lambda out, say, device: {"mini-small": GOOD["mini-small"]})
    with pytest.raises(MosaicError, match="fvu is None now, the card says 0.1"):
        card.check(tmp_path, str)


def test_check_measures_on_the_device_asked_for(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("mosaic.models.opening.check_device", asked.append)
    monkeypatch.setattr(card, "measure_weights", lambda out, say, device: asked.append(device) or GOOD)
    (tmp_path / "card.json").write_text(json.dumps(GOOD))
    done = CliRunner().invoke(app, ["mini", "check", "--weights", str(tmp_path), "--device", "cuda:7"])
    assert done.exit_code == 0 and asked == ["cuda:7", "cuda:7"], done.output


@pytest.mark.parametrize(
    "measure",
    [
        lambda model, tokenizer: lm_figures.corpus_figures(model, tokenizer, list(documents(7, 0, 2))),
        lambda model, tokenizer: lm_figures.spliced_loss(model, [[1, 2], [1, 2]]),
        lambda model, tokenizer: tuning.answers_correctly(model, tokenizer, ["where?"], ["in Rome."]),
        vision.caption_accuracy,
    ],
    ids=["corpus figures", "spliced loss", "answers", "captions"],
)
def test_inputs_go_to_where_the_model_is(tokenizer, measure):
    """There is one device here; a model that says it stands on another sees what it is given."""

    class Elsewhere(torch.nn.Module):
        device = torch.device("meta")

        def forward(self, **inputs):
            raise StopIteration({value.device.type for value in inputs.values() if torch.is_tensor(value)})

    with pytest.raises(StopIteration, match="^{'meta'}$"):
        measure(Elsewhere(), tokenizer)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("mini-small", "gap", 0.2), ("mini-small", "accuracy mood", 0.8), ("saes-small/layer_1_width_1k_seed_0", "fvu", 0.16),
        ("saes-small/layer_1_width_1k_seed_0", "l0", 61.0), ("saes-small/layer_1_width_1k_seed_0", "dead", 0.11),
        ("saes-small-wide/layer_3_width_16k_seed_0", "recovered", 0.8), ("mini-small", "gap", math.nan),
    ],
)  # fmt: skip
def test_a_figure_outside_its_band_is_named(name, key, value):
    assert card.outside(GOOD) == []
    broken = card.outside({**GOOD, name: {**GOOD[name], key: value}})
    assert len(broken) == 1 and name in broken[0] and key in broken[0]


def test_a_perfect_sae_recovers_everything_and_a_silent_one_nothing(tokenizer, tmp_path):
    import sae_lens

    model = lms.new_model(TINY).eval()
    rows = encode(tokenizer, [d.text for d in documents(9, 0, 20)])
    for name, scale in (("perfect", 1.0), ("silent", 0.0)):
        config = sae_lens.StandardSAEConfig(d_in=32, d_sae=64)
        sae = sae_lens.StandardSAE(config)
        with torch.no_grad():  # x = relu(x) - relu(-x)
            eye = torch.eye(32)
            sae.W_enc.copy_(torch.cat([eye, -eye], dim=1))
            sae.W_dec.copy_(torch.cat([eye, -eye]) * scale)
            sae.b_enc.zero_()
            sae.b_dec.zero_()
        sae.save_model(tmp_path / name)
        recovered = lm_figures.loss_recovered(model, rows, tmp_path / name, 1)["recovered"]
        assert recovered == pytest.approx(scale, abs=1e-3)


def test_a_finished_step_is_not_built_again_and_a_changed_recipe_is(tmp_path, monkeypatch):
    ran = []
    step = build.Step("one", {"size": 1}, lambda out, device: ran.append(device) or {"figure": 2})
    monkeypatch.setattr(build, "steps", lambda: [step])
    build.build_all(tmp_path, only="one", say=str)
    build.build_all(tmp_path, only="one", say=str)
    assert ran == ["cpu"]
    assert json.loads((tmp_path / "one" / "recipe.json").read_text())["figure"] == 2
    monkeypatch.setattr(build, "steps", lambda: [replace(step, recipe={"size": 2})])
    build.build_all(tmp_path, only="one", say=str)
    assert len(ran) == 2


@pytest.mark.parametrize(("only", "written"), [((), True), (("--only", "one"), False)])
def test_a_whole_build_writes_the_card_and_a_single_step_does_not(tmp_path, monkeypatch, only, written):
    step = build.Step("one", {}, lambda out, device: {})
    monkeypatch.setattr(build, "steps", lambda: [step])
    monkeypatch.setattr(card, "measure_weights", lambda out, say, device: GOOD)
    monkeypatch.setattr(card, "_page", lambda out, figures: f"{len(figures)} rows")
    done = CliRunner().invoke(app, ["mini", "build", "--weights", str(tmp_path), *only])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "one" / "recipe.json").is_file()
    assert (tmp_path / "card.json").is_file() == written == (tmp_path / "README.md").is_file()
    if written:
        assert json.loads((tmp_path / "card.json").read_text()) == GOOD


def test_the_shipped_page_says_what_its_card_says():
    figures = json.loads((build.WEIGHTS / "card.json").read_text())
    assert card._page(build.WEIGHTS, figures) == (build.WEIGHTS / "README.md").read_text(encoding="utf-8")


def test_the_shipped_weights_are_small_and_without_pickle():
    """All profiles' together, as they travel with the package."""
    files = [path for path in build.WEIGHTS.parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 120e6
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".jsonl", ".md"}


def test_ceilings_are_one_on_the_truth_and_lower_where_three_labels_in_a_hundred_are_wrong():
    for name in sets.SETS:
        figures = card.set_figures(name)
        assert figures[f"ceiling {name}"] == 1
        assert 0.94 < figures[f"ceiling on validation {name}"] < 0.995, name


def test_the_shipped_card_and_page_have_the_figures_of_todays_sets():
    shipped = json.loads((build.WEIGHTS / "card.json").read_text(encoding="utf-8"))
    now = {key: round(value, 4) for name in sets.SETS for key, value in card.set_figures(name).items()}
    assert shipped["sets"] == now
    assert (build.WEIGHTS / "README.md").read_text(encoding="utf-8") == card._page(build.WEIGHTS, shipped)


def test_the_end_to_end_suite_trains_every_lambda_once_and_the_middle_ones_thrice():
    specs = end_to_end.SUITE.specs()
    assert len({spec.name for spec in specs}) == len(specs) == 20
    for loss, values in end_to_end.SUITE.repeated.items():
        of = [spec for spec in specs if spec.loss == loss]
        assert all(sorted(spec.seed for spec in of if spec.sparsity == value) == [0, 1, 2] for value in values)
        assert len(of) == 4 + 2 * len(values)
        assert all((spec.beta > 0) == (loss == "e2e+ds") for spec in of)


def test_the_end_to_end_step_trains_and_measures_its_suite(tmp_path, monkeypatch):
    small = replace(
        end_to_end.SUITE,
        width=16,
        sparsities={"local": (9.0,), "e2e": (1.0,)},
        repeated={"local": (9.0,), "e2e": (1.0,)},
        seeds=(0,),
        texts=60,
        run=replace(end_to_end.SUITE.run, documents=32),
    )
    monkeypatch.setattr(end_to_end, "SUITE", small)
    for name in ("mini-small", "tokenizer"):
        (tmp_path / name).symlink_to(build.WEIGHTS / name)
    build.build_all(tmp_path, only="end_to_end", say=str)
    note = json.loads((tmp_path / "end_to_end" / "recipe.json").read_text())
    rows = json.loads((tmp_path / "end_to_end" / "card.json").read_text())
    assert note["saes"] == 2 and note["recipe"]["width"] == 16 and [row["loss"] for row in rows] == ["local", "e2e"]
    texts = [d.text for d in documents(98, 0, 20)]
    figures = end_to_end.measure_suite(tmp_path, texts, "cpu")
    assert set(figures) == {f"{key} {row['name']}" for row in rows for key in ("l0", "added_ce")}
    config = json.loads((tmp_path / "end_to_end" / rows[0]["name"] / "cfg.json").read_text())
    assert config["metadata"]["model_name"] == "mini-small"  # as people name it, wherever the folder lies

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mosaic.errors import MosaicError, Unavailable
from mosaic.profiles import plan
from mosaic.profiles.opening import available, load_model, load_saes, located, select_saes
from mosaic.profiles.profile import FOLDER, load_profile, profile_names
from mosaic.saes.described import width_name
from mosaic.world.sets import BEHAVIOUR, SETS

BASE = "title: t\nmodel: {id: x}\nshape: {n_layers: 1, d_model: 1, parameters: 1, embedding: 1}\nmiddle: 1\nwidth: 1k\n"
MINI_SETS = {f"mini/{name}" for name in (*SETS, BEHAVIOUR)}


def test_saes_that_learned_in_part_are_named_by_kind_each_once(tmp_path):
    """The miniature's profile has both; another kind, and one kind twice, are refused."""
    assert [one.kind for one in load_profile("mini").partly_trained] == ["frozen decoder", "untrained model"]
    text = (FOLDER / "mini.yml").read_text()
    wrong = (
        (
            "untrained model",
            "frozen decoder",
            "partly_trained: 'frozen decoder' stands twice. Name one SAE of each kind",
        ),
        ("frozen decoder", "frozen", "'frozen' .str. stands where one of frozen decoder, untrained model was expected"),
    )
    for old, new, message in wrong:
        path = tmp_path / f"{new}.yml".replace(" ", "_")
        path.write_text(text.replace(f"kind: {old}", f"kind: {new}"))
        with pytest.raises(MosaicError, match=message):
            load_profile(str(path))


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profiles_are_whole(name):
    from mosaic.features.pooling import top_n
    from mosaic.texts.registry import REGISTRY

    profile = load_profile(name)
    assert profile.middle in profile.layers and profile.width in profile.widths
    assert all(choice.name in REGISTRY or choice.name in MINI_SETS for choice in profile.datasets)
    assert [top_n(p) for p in profile.poolings]
    for source in profile.saes:
        assert bool(source.path) != bool(source.release and source.id)
        assert not source.path or located(source).path.endswith(source.path)


@pytest.mark.parametrize("name", ["mini", "mini-large", "mini-large-it"])
def test_the_miniatures_load_with_their_saes(name):
    profile = load_profile(name)
    lm = load_model(profile)
    encoders = load_saes(profile, lm)
    assert [e.layer for e in encoders] == [s.layer for s in profile.saes]
    assert {e.trained_on for e in encoders} == {profile.model.id.split("/")[-1]}
    assert (len(lm.blocks), lm.d_model) == (profile.shape.n_layers, profile.shape.d_model)
    assert sum(p.numel() for p in lm.blocks[0].parameters()) == profile.shape.parameters


def test_an_optional_set_that_cannot_be_had_is_left_out_and_said(monkeypatch, caplog, tmp_path):
    (tmp_path / "mine.yml").write_text(
        "title: t\nmodel: {id: x}\nshape: {n_layers: 1, d_model: 1, parameters: 1, embedding: 1}\nmiddle: 1\nwidth: 1k\n"
        "datasets: [{name: trec, optional: true}, mini/stance]\n"
    )
    monkeypatch.delenv("MOSAIC_DATA", raising=False)

    def offline(*_):
        raise Unavailable("cannot get trec")

    monkeypatch.setattr("mosaic.texts.sources._from_hub", offline)
    profile = load_profile(str(tmp_path / "mine.yml"))
    assert [c.name for c in available(profile)] == ["mini/stance"]
    assert "trec is left out: cannot get trec" in caplog.text
    (tmp_path / "strict.yml").write_text((tmp_path / "mine.yml").read_text().replace(", optional: true", ""))
    with pytest.raises(Unavailable):
        available(load_profile(str(tmp_path / "strict.yml")))


def test_an_optional_other_model_that_is_nowhere_is_left_out_and_said(monkeypatch, caplog):
    from dataclasses import replace

    from mosaic.profiles.opening import available_others, lacking
    from mosaic.profiles.profile import OtherModel

    minilm, mini = load_profile("minilm"), load_profile("mini")
    there = replace(minilm, others=(OtherModel("mini", optional=True),), title="t")
    assert [other.name for other in available_others(there)] == ["mini"] and lacking(there, ["others"]) == []
    assert [other.name for other in available_others(mini)] == ["mini-large", "mini-large-it"]

    def offline(*_, **__):
        raise Unavailable("no network.")

    monkeypatch.setattr("mosaic.models.opening.local_folder", offline)
    gone = replace(minilm, title="another")  # what was asked once is remembered by profile
    assert available_others(gone) == () and lacking(gone, ["others"]) == ["others"]
    assert (
        "stories260k is left out: no network. MOSAIC_MODELS may name a folder that holds stories260K/." in caplog.text
    )
    needed = replace(minilm, others=(OtherModel("stories260k"),), title="third")
    assert [other.name for other in available_others(needed)] == ["stories260k"], "asked for when it is read"


def test_sets_in_several_languages_are_read_or_left_out_as_the_others(monkeypatch, caplog, tmp_path):
    from mosaic.profiles.opening import crossed, lacking

    base = "title: t\nmodel: {id: x}\nshape: {n_layers: 1, d_model: 1, parameters: 1, embedding: 1}\nmiddle: 1\nwidth: 1k\n"

    def profile(name, entries):
        (tmp_path / f"{name}.yml").write_text(f"{base}crossed: [{entries}]\n")
        return load_profile(str(tmp_path / f"{name}.yml"))

    def offline(*_):
        raise Unavailable("no network")

    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    monkeypatch.setattr("mosaic.texts.sources._from_hub", offline)
    sib = "{name: sib200, languages: [en, de], optional: true}"
    both = profile("both", f"{sib}, {{name: mini/stance, languages: [en, es]}}")
    assert [choice.name for choice in crossed(both)] == ["mini/stance"] and not lacking(both, ["languages"])
    assert "sib200 in other languages is left out: no network" in caplog.text
    assert lacking(profile("one", sib), ["languages"]) == ["languages"] == lacking(profile("none", ""), ["languages"])
    strict = profile("strict", sib.replace(", optional: true", ""))
    assert not lacking(strict, ["languages"])
    with pytest.raises(Unavailable):
        crossed(strict)
    for i, wrong in enumerate(("de, en", "en", "en, de, de", "")):
        with pytest.raises(MosaicError, match="crossed, sib200: the languages .* are not en and others, each once"):
            profile(f"wrong{i}", f"{{name: sib200, languages: [{wrong}]}}")
    with pytest.raises(MosaicError, match="crossed: sib200 stands twice. Name all its languages in one entry"):
        profile("twice", f"{sib}, {{name: sib200, languages: [en, ru]}}")


def test_a_language_or_translation_that_a_mirror_lacks_is_left_out_of_an_optional_set(monkeypatch, caplog, tmp_path):
    from mosaic.profiles.opening import crossed

    for name, languages in (("sib200", "en de"), ("toxicity_translated", "de")):
        (tmp_path / name).mkdir()
        rows = [{"text": f"{i}", "label": "ab"[i % 2], "language": one} for one in languages.split() for i in range(20)]
        (tmp_path / name / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setenv("MOSAIC_DATA", str(tmp_path))

    def profile(languages, more=""):
        path = tmp_path / f"{len(languages)}{len(more)}.yml"
        path.write_text(f"{BASE}crossed: [{{name: sib200, languages: [{languages}]{more}}}]\n")
        return load_profile(str(path))

    optional = ", optional: true"
    both = "translated: {de: toxicity_translated, ru: toxicity_translated}"
    (found,) = crossed(profile("en, de, ru", f"{optional}, {both}"))
    assert found.languages == ("en", "de") and found.translated == {"de": "toxicity_translated"}
    assert "sib200 in ru is left out: sib200 has no texts in language 'ru'; it has de, en" in caplog.text
    assert "toxicity" not in caplog.text  # of a language that is left out
    (found,) = crossed(profile("en, de", f"{optional}, translated: {{de: toxicity_translated}}"))
    assert hash(found) == hash(found) and found.translated
    assert crossed(profile("en, ru", optional)) == () and "sib200 in other languages is left out" in caplog.text
    with pytest.raises(Unavailable, match="has no texts in language 'ru'"):
        crossed(profile("en, de, ru"))


def test_translations_are_named_for_languages_that_are_read(tmp_path):
    wrong = {
        "{ru: toxicity_translated}": "crossed, toxicity: translated names 'ru', which is not among .* There are de",
        "{en: toxicity_translated}": "translated names 'en'",
        "toxicity_translated": "crossed 1, translated: 'toxicity_translated' .* names with values, {name: value} was expected",
        "{de: 1.5}": "translated, de: 1.5 .* a text was expected",
    }
    for i, (value, message) in enumerate(wrong.items()):
        path = tmp_path / f"{i}.yml"
        path.write_text(f"{BASE}crossed: [{{name: toxicity, languages: [en, de], translated: {value}}}]\n")
        with pytest.raises(MosaicError, match=message):
            load_profile(str(path))


@pytest.mark.parametrize(
    "sets,message",
    [
        ("datasets: [trek]", "unknown data set 'trek'; the nearest are trec"),
        ("datasets: [mini/nope]", "there is no miniature set 'nope' in 'en'"),
        ("crossed: [{name: mini/stance, languages: [en, xx]}]", "there is no miniature set 'stance' in 'xx'"),
        ("crossed: [{name: toxicity, languages: [en, de], translated: {de: toxic}}]", "unknown data set 'toxic'"),
    ],
)
def test_sets_that_nobody_has_heard_of_are_refused_as_reading_them_would(tmp_path, sets, message):
    from mosaic.profiles.opening import check_sets
    from mosaic.texts.sources import load_set

    (tmp_path / "p.yml").write_text(BASE + sets)
    with pytest.raises(MosaicError, match=message) as planned:
        check_sets(load_profile(str(tmp_path / "p.yml")))
    if "trek" in message:
        with pytest.raises(MosaicError) as read:
            load_set("trek")
        assert str(read.value) == str(planned.value)


@pytest.mark.parametrize("name", profile_names())
def test_the_shipped_profiles_name_sets_that_there_are(name):
    from mosaic.profiles.opening import check_sets

    check_sets(load_profile(name))


HUB_PROFILES = [name for name in profile_names() if any(source.release for source in load_profile(name).saes)]


@pytest.mark.parametrize("name", HUB_PROFILES)
def test_registry_ids_exist_and_are_of_the_profiles_model_layer_and_width(name):
    from mosaic.saes.loading import check_model
    from mosaic.saes.registry import registered

    profile = load_profile(name)
    for source in profile.saes:
        entry, _ = registered(source)
        sizes = profile.shape.d_model, entry.model, profile.model.id, profile.shape.d_model
        check_model(source.id, *sizes, source.transfer_from)
        told = f"{source.id} {entry.saes_map[source.id]}"
        # layer_5/..., blocks.5.hook_resid_post, l5r_8x
        layers = re.findall(r"(?:layer_|blocks\.|\bl)(\d+)", source.id)
        assert layers == [str(source.layer)], told
        assert not re.search(r"resid_pre|mlp|att|transcoder", told), told
        for width in re.findall(r"width_(\w+?)(?:/|_)", source.id):
            assert width == source.width, told
        for factor in re.findall(r"_(\d+)x$", source.id):  # of the model's width
            assert width_name(int(factor) * profile.shape.d_model) == source.width, told


@pytest.mark.parametrize("name", HUB_PROFILES)
def test_the_shape_of_a_hub_profile_is_its_models(name):
    """The model is built from its architecture without memory, and its parameters are counted."""
    import torch
    from transformers import AutoModel

    from mosaic.models.blank import configuration
    from mosaic.models.blocks import find_blocks

    profile = load_profile(name)
    shape = profile.shape
    with torch.device("meta"):
        model = AutoModel.from_config(configuration(profile.architecture, shape.n_layers, shape.d_model))
    blocks = find_blocks(model)
    assert (len(blocks), model.config.hidden_size) == (shape.n_layers, shape.d_model)
    assert sum(p.numel() for p in blocks[0].parameters()) == shape.parameters
    outside = sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in blocks.parameters())
    assert 0 <= outside - shape.embedding <= 2 * shape.d_model, "embeddings, and a final norm"


def test_the_papers_pair_is_a_pair_for_the_chapter_on_layers(tmp_path):
    from mosaic.studies.scale import larger_of

    text = (FOLDER / "gemma-2-2b.yml").read_text(encoding="utf-8")
    assert "# larger: gemma-2-9b" in text and load_profile("gemma-2-2b").larger is None, "left to who has the machine"
    (tmp_path / "pair.yml").write_text(text.replace("# larger:", "larger:"), encoding="utf-8")
    assert larger_of(load_profile(str(tmp_path / "pair.yml"))).model.id == "google/gemma-2-9b"


def test_minilm_ships_its_suite_within_forty_megabytes():
    from pathlib import Path

    profile = load_profile("minilm")
    folders = [Path(located(source).path) for source in profile.saes]
    assert {(s.layer, s.width) for s in profile.saes} == {(2, "2k"), (4, "2k"), (6, "2k"), (4, "8k")}
    assert sum(s.layer == 4 and s.width == "2k" for s in profile.saes) == 3
    assert sum(f.stat().st_size for folder in folders for f in folder.iterdir()) <= 40e6


def test_shape_agrees_with_the_real_model(minilm):
    shape = load_profile("minilm").shape
    assert (len(minilm.blocks), minilm.d_model) == (shape.n_layers, shape.d_model)
    assert sum(p.numel() for p in minilm.blocks[0].parameters()) == shape.parameters


@pytest.mark.parametrize(
    "text,message",
    [
        ("layres: [1]", "Profile has no key 'layres'"),
        ("model: {id: x, max_lenght: 3}", "ModelSpec has no key 'max_lenght'; did you mean 'max_length'"),
        ("title: t", "mine.yml: Profile needs 'model', which is missing"),
        ("a: [", "is not valid YAML"),
        ("[" * 100_000, "is not valid YAML"),
        ("middle: " + "9" * 5000, "is not valid YAML"),
        (b"title: caf\xe9", "mine.yml, line 1: byte 0xe9 is not UTF-8"),
        ("- title", "holds a list, not the keys of a profile"),
        (
            "saes: 3",
            r"mine.yml, saes 1: 3 \(int\) stands where the keys of a SAESource \(layer, width, .* was expected",
        ),
        ("saes: [{layer: one, width: 1k}]", r"saes 1, layer: 'one' \(str\) stands where a whole number was expected"),
        ("saes: [{layer: true, width: 1k}]", r"saes 1, layer: True \(bool\) stands where a whole number"),
        ("saes:", r"saes: None \(NoneType\) stands where a list was expected"),
        ("model: {id: x, dtype: float33}", "model, dtype: 'float33' .* one of float32, bfloat16, float16 was expected"),
        ("model: {max_length: 3}", "model: ModelSpec needs 'id'"),
        ("model: {id: [x]}", r"model, id: \['x'\] \(list\) stands where a text was expected"),
        ("shape: large", "shape: 'large' .* the keys of a Shape"),
        ("poolings: {max: 1}", "poolings 1: .* stands where a text was expected"),
        ("poolings: [[max]]", "poolings 1: .* stands where a text was expected"),
        ("datasets: [3]", "datasets 1: 3 .* the keys of a SetChoice"),
        ("datasets: [{name: trec, optional: maybe}]", "datasets 1, optional: 'maybe' .* true or false was expected"),
        ("training: {datasets: [{nam: x}]}", "training, datasets 1: SetChoice has no key 'nam'; did you mean 'name'"),
        ("larger: [mini-large, mini]", r"larger: \['mini-large', 'mini'\] \(list\) stands where a text was expected"),
        ("max_train: 3.5", "max_train: 3.5 .* a whole number was expected"),
        ("1: x", "Profile has no key 1"),
        ("title: a\nsaes: []\ntitle: b", r"the key 'title' stands twice\n.*line 3"),
        ("model: {id: x, 'id': y}", "the key 'id' stands twice"),
        ("middle: " + "9" * 400, "middle: 9+ .* a number up to 9,007,199,254,740,992 was expected"),
        ("shape: {n_layers: 1, d_model: 1, parameters: -" + "9" * 400, "is not valid YAML"),
    ],
)
def test_a_broken_profile_is_explained(tmp_path, text, message):
    path = tmp_path / "mine.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MosaicError, match=message):
        load_profile(str(path))


def test_the_larger_model_of_a_profile_is_another_profile_that_there_is(tmp_path):
    base = "title: t\nmodel: {id: x}\nshape: {n_layers: 1, d_model: 1, parameters: 1, embedding: 1}\nmiddle: 1\nwidth: 1k\n"

    def profile(name, larger):
        (tmp_path / name).write_text(f"{base}larger: {larger}\n")
        return load_profile(str(tmp_path / name))

    assert profile("mini-large.yml", "mini-large").larger == "mini-large", "a name is a shipped profile's"
    there = f"there is no profile 'mini-lrage'; there are {', '.join(profile_names())}"
    with pytest.raises(MosaicError, match=f"own.yml, larger: {there}.* or leave the key out"):
        profile("own.yml", "mini-lrage")
    with pytest.raises(MosaicError, match="self.yml, larger: .*self.yml is this profile itself. Name another"):
        profile("self.yml", tmp_path / "self.yml")


def test_one_value_is_a_list_of_one_and_a_bare_name_a_choice(tmp_path):
    """`poolings: max` was read letter by letter."""
    (tmp_path / "mine.yml").write_text(
        "title: t\nmodel: {id: x}\nshape: {n_layers: 1, d_model: 1, parameters: 1, embedding: 1}\nmiddle: 1\n"
        "width: 512\npoolings: max\ndatasets: trec\nsaes: {layer: 1, width: 512, path: p}\ntraining: {corpora: mini}\n"
    )
    profile = load_profile(str(tmp_path / "mine.yml"))
    assert profile.poolings == ("max",) and profile.training.corpora == ("mini",)
    assert [choice.name for choice in profile.datasets] == ["trec"]
    assert profile.widths == [profile.width] == ["512"]


def test_keys_of_one_name_in_two_mappings_are_no_fault(tmp_path):
    (tmp_path / "mine.yml").write_text(
        "title: t\nmodel: {id: x}\nshape: {n_layers: 1, d_model: 1, parameters: 1, embedding: 1}\nmiddle: 1\nwidth: 1k\n"
        "saes: [&one {layer: 1, width: 1k, path: p}, {<<: *one, layer: 2}]\n"
    )
    assert load_profile(str(tmp_path / "mine.yml")).layers == [1, 2]


def test_a_relative_path_is_another_file_in_another_working_folder(tmp_path, monkeypatch):
    for title in ("one", "two"):
        (tmp_path / title).mkdir()
        monkeypatch.chdir(tmp_path / title)
        shape = "{n_layers: 1, d_model: 1, parameters: 1, embedding: 1}"
        Path("own.yml").write_text(f"title: {title}\nmodel: {{id: x}}\nshape: {shape}\nmiddle: 1\nwidth: 1k\n")
        assert load_profile("own.yml").title == title


def test_unknown_names_list_the_known():
    with pytest.raises(MosaicError, match=f"unknown profile 'gema'; there are {', '.join(profile_names())}"):
        load_profile("gema")
    minilm = load_profile("minilm")
    with pytest.raises(MosaicError, match="no SAE of layer 5; it has 2, 4, 6"):
        select_saes(minilm, layers=[5])
    with pytest.raises(MosaicError, match="no SAE of width '16k'; it has 2k, 8k"):
        select_saes(minilm, widths=["16k"])
    with pytest.raises(MosaicError, match="no SAE of layers"):
        select_saes(minilm, layers=[2], widths=["8k"])


def test_a_sweep_is_a_job_a_set_and_language():
    profile = load_profile("gemma-2-2b")
    alone = plan.estimate(profile, texts=10, tokens=100, rate=1e12)
    found = plan.sweep(profile, 10, 100, 1e12, (1, 3, 64))
    # Of one width: toxicity in 4 more languages and translated from each; tweets in 3 more.
    assert (found.sets, found.languages) == (5, 4 + 4 + 3)
    one_width = replace(profile, saes=tuple(sae for sae in profile.saes if sae.width == profile.width))
    short = plan.estimate(one_width, texts=10, tokens=100, rate=1e12).seconds / 3600
    job = alone.seconds / 3600
    assert short < job and found.disk_download == alone.disk_download
    assert found.hours[1] == pytest.approx(5 * job + 11 * short) and found.hours[64] == pytest.approx(job)
    assert found.hours[1] / 3 <= found.hours[3] < 2 * job + 4 * short
    assert found.flops == pytest.approx(found.hours[1] * 3600 * 1e12 * plan.EFFICIENCY)


@pytest.mark.parametrize(
    ("jobs", "machines", "end"), [([3, 1, 2], 1, 6), ([3, 1, 2], 2, 3), ([4, 4, 4], 2, 8), ([5], 9, 5), ([], 2, 0)]
)
def test_the_last_machine_ends_the_sweep(jobs, machines, end):
    assert plan.longest(jobs, machines) == end


@pytest.mark.parametrize(
    "content,message",
    [
        ('{"device": "H100", "sweep": {"flop_per_second": 4e14}, "speed_measured": true}', None),
        (
            '{"device": "cpu", "sweep": {"flop_per_second": 4e9}, "speed_measured": false}',
            "made without a graphics card",
        ),
        ('{"device": "H100", "sweep": {"flop_per_second": Infinity}, "speed_measured": true}', "its rate says nothing"),
        ('{"device": "H100"}', "is not what `python benchmarks/gpu.py --json` writes"),
        ("no JSON", "Run that first"),
    ],
)
def test_a_cards_rate_is_read_from_its_benchmark(tmp_path, content, message):
    path = tmp_path / "gpu.json"
    path.write_text(content)
    if message is None:
        assert plan.measured_rate(path) == ("H100", 4e14)
    else:
        with pytest.raises(MosaicError, match=message):
            plan.measured_rate(path)


def test_plan_counts_the_paper_sweep():
    """Design notes: one pass over layers 5, 12, 19 and two widths costs 2 * (20 blocks) + SAEs a token."""
    profile = load_profile("gemma-2-2b")
    cost = plan.estimate(profile, texts=10, tokens=100, rate=1e12)
    by_hand = 2 * 77_865_984 * 20 + 3 * 2 * 2304 * (16_384 + 65_536)
    assert cost.flops_per_token == by_hand and cost.flops == by_hand * 1000
    assert cost.seconds == pytest.approx(by_hand * 1000 / (1e12 * plan.EFFICIENCY))
    assert cost.memory > 4 * (77_865_984 * 26) and cost.disk_download > 4e9
    doubled = plan.estimate(profile, texts=20, tokens=100, rate=1e12)
    assert doubled.disk_features == 2 * cost.disk_features


def test_width_names():
    from mosaic.saes.recipe import width_name

    for name, number in [
        ("16k", 16_384),
        ("65k", 65_536),
        ("131k", 131_072),
        ("1m", 2**20),
        ("768", 768),
        ("2k", 2048),
    ]:
        assert plan.width_of(name) == number and width_name(number) == name


@pytest.mark.parametrize("name", ["", "k", "wide", "16q", "0", "-1k", "1.5k", "²k", "1k1", "9" * 5000])
def test_what_is_no_width_is_named(name):
    with pytest.raises(MosaicError, match="is not a number of latents; write it as 512, 16k or 1m"):
        plan.width_of(name)


def test_measured_rate_is_a_rate():
    assert 1e9 < plan.matmul_rate(0.05) < 1e15


def test_what_a_profile_lacks_for_a_chapter_is_named(tmp_path):
    import json
    from dataclasses import replace

    from mosaic.profiles.opening import lacking

    everything = ("truth", "seeds", "sweep")
    assert lacking(load_profile("mini"), everything) == []
    assert lacking(load_profile("gemma-2-2b"), everything) == list(everything)
    assert lacking(load_profile("gemma-2-2b"), ()) == []
    assert lacking(load_profile("mini"), ["end_to_end"]) == [] and lacking(load_profile("gpt2"), ["end_to_end"])
    row = {"name": "sae", "layer": 1, "width": 64, "k": 4, "tokens": 9, "architecture": "topk"}
    rows = [{**row, "seed": seed} for seed in (0, 1)]
    (tmp_path / "card.json").write_text(json.dumps(rows))
    assert lacking(replace(load_profile("stories260k"), seeds=str(tmp_path)), everything) == ["truth", "sweep"]

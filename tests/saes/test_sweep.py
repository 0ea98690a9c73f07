"""One thing changes at a time, and a card is read back as the sweep it came from."""

import json
from dataclasses import asdict

import pytest

from mosaic.errors import MosaicError
from mosaic.profiles.opening import located_folder
from mosaic.profiles.profile import load_profile, profile_names
from mosaic.saes import sweep
from mosaic.saes.sweep import Sweep, along, read_card, same_start, seed_groups

STAR = Sweep(
    layers=(3, 1),
    widths=(512, 128, 1024),
    ks=(8, 4),
    tokens=(2_000_000, 500_000),
    architectures=("topk", "gated"),
    l1=(1.5,),
    seeds=(0, 1, 2, 3),
    varied=2,
)


def card(specs, batches=lambda spec: str((spec.layer, spec.tokens))):
    return [{**asdict(spec), "name": spec.name, "batches": batches(spec)} for spec in specs]


def test_every_variation_changes_one_thing():
    specs = STAR.specs()
    assert len(specs) == 4 + 2 * (1 + 2 + 1 + 1 + 1) and len({spec.name for spec in specs}) == len(specs)
    base = specs[0]
    assert [spec.seed for spec in specs[:4]] == [0, 1, 2, 3]
    for spec in specs[4:]:
        differing = [key for key in sweep.KEYS if getattr(spec, key) != getattr(base, key)]
        assert len(differing) == 1, spec
    assert {spec.l1 for spec in specs if spec.architecture == "gated"} == {1.5}


def test_a_card_is_read_back_as_its_settings():
    found = seed_groups(card(STAR.specs()))
    assert [(s.varies, s.value, s.seeds) for s in found] == [
        ("base", "base", [0, 1, 2, 3]),
        ("layer", "1", [0, 1]),
        ("width", "128", [0, 1]),
        ("width", "1k", [0, 1]),
        ("k", "4", [0, 1]),
        ("tokens", "0.5M", [0, 1]),
        ("architecture", "gated", [0, 1]),
    ]
    assert [s.value for s in along(found, "width")] == ["128", "512", "1k"]
    assert [s.value for s in along(found, "architecture")] == ["topk", "gated"]
    assert len(along(seed_groups(card(STAR.specs()[:4])), "k")) == 1


def test_saes_of_other_batches_are_not_compared_but_are_the_control():
    specs = STAR.specs()[:4]
    rows = card(specs) + card(specs[:1], batches=lambda spec: "other texts")
    assert len(seed_groups(rows)) == 1 and seed_groups(rows)[0].seeds == [0, 1, 2, 3]
    assert [row["batches"] for row in same_start(rows)] == [rows[0]["batches"], "other texts"]


def test_errors_say_what_is_missing(tmp_path):
    with pytest.raises(MosaicError, match="0 weights of the L1 loss for 1 architectures that need one"):
        Sweep((1,), (2,), (3,), (4,), ("topk", "standard")).specs()
    with pytest.raises(MosaicError, match="architecture 'relu' is not one of"):
        Sweep((1,), (2,), (3,), (4,), ("relu",)).specs()
    with pytest.raises(MosaicError, match=r"card.json does not exist. A folder written by `mosaic train-sae`"):
        read_card(tmp_path)
    with pytest.raises(MosaicError, match="no two SAEs of this card differ in their seed alone"):
        seed_groups(card(STAR.specs()[:1]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("{}", "a list with one row an SAE is expected"),
        ("[]", "a list with one row an SAE is expected"),
        ('[{"name": "a", "seed": 0, "layer": 1}]', "row 1 has no width"),
    ],
)
def test_a_card_of_another_kind_is_refused(tmp_path, content, message):
    (tmp_path / "card.json").write_text(content)
    with pytest.raises(MosaicError, match=message):
        read_card(tmp_path)


@pytest.mark.parametrize("name", [n for n in profile_names() if load_profile(n).seeds])
def test_every_sae_of_a_shipped_card_is_there(name):
    folder = located_folder(load_profile(name).seeds)
    rows = json.loads((folder / "card.json").read_text())
    assert {row["name"] for row in rows} == {path.parent.name for path in folder.glob("*/cfg.json")}
    for setting in seed_groups(rows):
        assert len({row.get("batches") for row in setting.rows}) == 1
        for row in setting.rows:
            assert (folder / row["name"] / "sparsity.safetensors").is_file()

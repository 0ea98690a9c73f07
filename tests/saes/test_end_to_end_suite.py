"""A suite trains every lambda once and some from every seed; what cannot be compared is refused."""

import json
from dataclasses import asdict, replace

import pytest

from mosaic.errors import MosaicError
from mosaic.models.language import ModelSpec
from mosaic.profiles.opening import located_folder
from mosaic.profiles.profile import load_profile
from mosaic.saes.end_to_end_suite import EndToEndSuite, check_suite
from mosaic.saes.recipe import other_recipes

SUITE = EndToEndSuite(
    layer=1,
    width=24,
    sparsities={"local": (1.0, 2.0), "e2e": (0.1, 0.2), "e2e+ds": (0.3, 0.4)},
    repeated={"local": (1.0, 2.0), "e2e": (0.2,), "e2e+ds": (0.3,)},
    beta=0.5,
    seeds=(4, 5),
)


def test_every_lambda_has_the_first_seed_and_some_have_all():
    specs = SUITE.specs()
    assert [(spec.loss, spec.sparsity, spec.seed) for spec in specs] == [
        ("local", 1.0, 4), ("local", 2.0, 4), ("e2e", 0.1, 4), ("e2e", 0.2, 4), ("e2e+ds", 0.3, 4), ("e2e+ds", 0.4, 4),
        ("local", 1.0, 5), ("local", 2.0, 5), ("e2e", 0.2, 5), ("e2e+ds", 0.3, 5),
    ]  # fmt: skip
    assert all(spec.beta == (0.5 if spec.loss == "e2e+ds" else 0) for spec in specs)
    check_suite(SUITE)


def test_a_context_cuts_what_the_model_reads():
    spec = ModelSpec("some/model", max_length=512)
    assert SUITE.cut(spec) == spec and replace(SUITE, context=9).cut(spec) == replace(spec, max_length=9)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"sparsities": {"local": (1.0,)}}, r"sparsities has the losses local; local, e2e, e2e\+ds are expected"),
        ({"repeated": {}}, "repeated has the losses none"),
        ({"sparsities": {**SUITE.sparsities, "e2e": ()}}, r"sparsities, e2e: \[\] are not one or more"),
        (
            {"sparsities": {**SUITE.sparsities, "e2e": (0.2, 0.2)}},
            r"sparsities, e2e: \[0.2, 0.2\] are not .* each once",
        ),
        ({"repeated": {**SUITE.repeated, "local": ()}}, r"repeated, local: \[\] are not some of \[1.0, 2.0\]"),
        ({"repeated": {**SUITE.repeated, "local": (7.0,)}}, r"repeated, local: \[7.0\] are not some of"),
        ({"context": 1}, "context: 1 tokens have no next one to foretell"),
        ({"seeds": ()}, r"seeds: \[\] are not one or more"),
        ({"seeds": (1, 1)}, r"seeds: \[1, 1\] are not one or more seeds, each once"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    with pytest.raises(MosaicError, match=message):
        check_suite(replace(SUITE, **change))


def test_the_shipped_profile_has_a_suite_that_can_be_compared():
    suite = load_profile("stories260k").training.end_to_end
    check_suite(suite)
    assert len({spec.name for spec in suite.specs()}) == len(suite.specs())
    hash(load_profile("stories260k"))  # what is asked once of a profile is kept by it


def test_the_shipped_saes_are_those_of_the_profiles_suite():
    profile = load_profile("stories260k")
    folder, suite = located_folder(profile.end_to_end), profile.training.end_to_end
    rows = json.loads((folder / "card.json").read_text())
    keys = ("name", "loss", "layer", "width", "sparsity", "seed", "beta")
    assert [[row[key] for key in keys] for row in rows] == [
        [spec.name, *(asdict(spec)[key] for key in keys[1:])] for spec in suite.specs()
    ]
    assert {row["documents"] for row in rows} == {suite.run.documents} and len({row["batches"] for row in rows}) == 1
    config = json.loads((folder / rows[0]["name"] / "cfg.json").read_text())
    assert config["metadata"]["context_size"] == suite.context and config["d_sae"] == suite.width
    page = (folder / "README.md").read_text()
    assert all(f"| {row['name']} |" in page for row in rows)


def test_recipes_stand_beside_one_topk():
    specs = other_recipes(3, 64, 8, (2, 5), batchtopk=True)
    assert {(spec.layer, spec.width, spec.k) for spec in specs} == {(3, 64, 8)}
    assert [spec.seed for spec in specs] == [2, 5] * 6 and len({spec.name for spec in specs}) == 12
    assert specs[2:] == other_recipes(3, 64, 8, (2, 5))
    assert {spec.anneal for spec in specs if spec.architecture == "llama_scope"} == {0.1, 0.0}
    assert {spec.centroids for spec in specs if spec.architecture == "archetypal"} == {None, 0}

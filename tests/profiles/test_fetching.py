"""What a profile reads from the hub: its own model, and those beside it that its chapters read."""

from dataclasses import replace

from mosaic.profiles.fetching import repositories
from mosaic.profiles.opening import lacking
from mosaic.profiles.profile import OtherModel, load_profile


def ids(profile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for what, repository in repositories(profile):
        found.setdefault(what, []).append(repository.id)
    return found


def test_models_and_saes_of_other_profiles_are_fetched_too():
    alone = replace(load_profile("gpt2"), datasets=(), crossed=())
    beside = ids(replace(alone, others=(OtherModel("pythia-70m"),), larger="pythia-70m"))
    assert ids(alone)["model"] == ["openai-community/gpt2"]
    assert beside["model"] == ["openai-community/gpt2", "EleutherAI/pythia-70m-deduped"]
    assert len(beside["SAEs"]) == 2


def test_a_vision_model_is_fetched_beside_the_one_of_texts():
    profile = load_profile("paligemma2-3b")
    found = ids(replace(profile, datasets=(), vision=replace(profile.vision, sets=())))  # its sets would ask the hub
    assert found["model"] == ["google/gemma-2-2b", "google/paligemma2-3b-pt-224"]
    assert found["SAEs"] == ["google/gemma-scope-2b-pt-res"]
    assert lacking(profile, ["images"]) == [] and lacking(load_profile("gpt2"), ["images", "others"]) == [
        "images",
        "others",
    ]
    assert lacking(replace(profile, vision=replace(profile.vision, sets=())), ["images"]) == ["images"]

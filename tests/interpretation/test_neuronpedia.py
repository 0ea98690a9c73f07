"""An export's lines against the SAE they are said to be of: model, source, numbers, and how often latents fire."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.interpretation.exports import find
from mosaic.interpretation.neuronpedia import (
    LEAST_LATENTS,
    UNKNOWN,
    agreement,
    check_index,
    read,
    source_id,
    upper_half,
)
from mosaic.profiles.profile import load_profile
from mosaic.saes.source import SAESource

SOURCE = "gemma-2-2b/12-gemmascope-res-16k"
SAID = {"modelId": "gemma-2-2b", "layer": "12-gemmascope-res-16k"}


def explanation(index, text="cats", by="gpt-4o-mini", **more) -> dict:
    return {
        "id": "x", **SAID, "index": index, "authorId": "a", "description": text, "embedding": [0.1] * 9,
        "typeName": "oai_token-act-pair", "explanationModelName": by, **more,
    }  # fmt: skip


def feature(index, share, **more) -> dict:
    return {**SAID, "index": index, "maxActApprox": 3.0, "frac_nonzero": share, "vector": [], **more}


def export(root, explanations, features=()):
    for kind, rows in (("explanations", explanations), ("features", features)):
        if rows:
            (root / kind).mkdir(parents=True, exist_ok=True)
            content = "".join(json.dumps(row) + "\n" for row in rows).encode()
            (root / kind / "batch-0.jsonl.gz").write_bytes(gzip.compress(content))
    return find(root)


def test_a_good_export_gives_names_and_frequencies(tmp_path):
    rows = [
        explanation("0", " words \n about cats"),
        explanation("10", "dogs"),
        explanation(3, "birds", by=None),
        explanation("4", ""),
    ]
    found = read(export(tmp_path, rows, [feature("0", 0.01), feature("1", None), feature("10", 0)]), SOURCE, 11)
    assert found.names == {
        0: ("words about cats", "gpt-4o-mini, oai_token-act-pair"),
        3: ("birds", f"{UNKNOWN}, oai_token-act-pair"),
        10: ("dogs", "gpt-4o-mini, oai_token-act-pair"),
    }
    assert found.frequency == {0: 0.01, 10: 0.0} and found.others == 0 and found.source == SOURCE


def test_of_several_explanations_the_commonest_explainers_stands(tmp_path):
    rows = [
        explanation(0, "by a", by="a"),
        explanation(0, "by b", by="b"),
        explanation(1, "by b", by="b"),
        explanation(1, "again", by="b"),
    ]
    found = read(export(tmp_path, rows), SOURCE, 2)
    assert {latent: text for latent, (text, _) in found.names.items()} == {0: "by b", 1: "by b"} and found.others == 1


@pytest.mark.parametrize(
    "row,message",
    [
        (explanation(1, modelId="gemma-2-9b"), "line 2 is of modelId 'gemma-2-9b', but this SAE is gemma-2-2b/12"),
        (explanation(1, layer="12-gemmascope-res-65k"), "line 2 is of layer '12-gemmascope-res-65k', but this SAE is"),
        (explanation("16384"), "line 2 is about latent 16,384, but the SAE has 16,384, numbered from 0"),
        (explanation("-1"), "the index is '-1'; a whole number"),
        (explanation(True), "the index is True"),
        (explanation(1.0), "the index is 1.0"),
        (explanation("٣"), "the index is"),
        (explanation(-1), "about latent -1"),
        ({**SAID, "index": "1"}, "line 2 has no 'description'; modelId, layer, index and description were expected"),
        ({"text": "x"}, "line 2 has no 'modelId'.*It has text"),
    ],
)
def test_lines_of_another_sae_or_of_another_kind_are_refused(tmp_path, row, message):
    with pytest.raises(MosaicError, match=message):
        read(export(tmp_path, [explanation(0), row]), SOURCE, 16384)


@pytest.mark.parametrize(
    "rows,message",
    [
        ([feature(1, 0.1, layer="x")], "is of layer 'x'"),
        ([feature(99, 0.1)], "about latent 99"),
        ([feature(1, 0.1), feature("1", 0.1)], "latent 1 stands twice among the features"),
        ([feature(1, 1.5)], "frac_nonzero is 1.5; a share from 0 to 1"),
        ([feature(1, "often")], "frac_nonzero is 'often'"),
        ([feature(1, float("nan"))], "frac_nonzero is nan"),
        ([{**SAID, "index": 1}], "has no 'frac_nonzero'"),
    ],
)
def test_features_that_cannot_be_right_are_refused(tmp_path, rows, message):
    with pytest.raises(MosaicError, match=message):
        read(export(tmp_path, [explanation(0)], rows), SOURCE, 16)


def test_an_export_without_an_explanation_is_told(tmp_path):
    with pytest.raises(MosaicError, match="holds no explanation"):
        read(export(tmp_path, [explanation(0, None)]), SOURCE, 16)


def firing(n: int, seed: int = 0) -> tuple[dict[int, float], np.ndarray]:
    """Shares of tokens over four orders of magnitude, and what 3,000 tokens of other texts show of them."""
    rng = np.random.default_rng(seed)
    true = 10 ** rng.uniform(-5, -1, n)
    ours = rng.binomial(3000, np.clip(true * 10 ** rng.normal(0, 0.4, n), 0, 1)) / 3000
    return dict(enumerate(true.tolist())), ours


@pytest.mark.parametrize("n", [200, 2000])
def test_the_right_numbers_agree_and_moved_or_shuffled_ones_are_refused(n):
    theirs, ours = firing(n)
    right = agreement(theirs, ours)
    assert right.n == n and right.rho > 0.6 and "agrees (rho 0." in check_index(right, SOURCE)
    moved = {i: theirs[(i + 1) % n] for i in range(n)}
    shuffled = dict(enumerate(np.random.default_rng(1).permutation(list(theirs.values())).tolist()))
    backwards = {i: 1 - share for i, share in theirs.items()}
    for wrong in (moved, shuffled, backwards):
        with pytest.raises(MosaicError, match="counts its latents otherwise than this SAE.*at the wrong latents"):
            check_index(agreement(wrong, ours), SOURCE)


@given(st.integers(LEAST_LATENTS, 400), st.integers(0, 10**6))
def test_shuffled_numbers_pass_seldom_if_ever(n, seed):
    theirs, ours = firing(n, seed)
    wrong = dict(enumerate(np.random.default_rng(seed + 1).permutation(list(theirs.values())).tolist()))
    found = agreement(wrong, ours)
    assert found.rho <= found.bar and found.bar >= 0.2


def test_too_few_latents_decide_nothing():
    theirs, ours = firing(LEAST_LATENTS - 1)
    found = agreement(theirs, ours)
    assert found.rho is None and check_index(found, SOURCE).startswith("the index was not checked: 99 latents")
    silent = agreement(dict.fromkeys(range(300), 0.0), np.zeros(300))
    assert silent.n == 0 and silent.rho is None
    assert agreement(dict.fromkeys(range(300), 0.5), np.arange(300)).rho is None


def test_the_id_is_the_registrys_or_the_configurations(tmp_path):
    gemma = load_profile("gemma-2-2b")
    assert {source_id(source) for source in gemma.saes if source.layer == 12} >= {SOURCE}
    assert source_id(SAESource(7, "16k", release="gemma-scope-2-1b-pt-res", id="layer_13_width_16k_l0_big")) is None
    for config, known in (
        ({"metadata": {"neuronpedia_id": "m/3-res"}}, "m/3-res"),
        ({"neuronpedia_id": "m/4-res"}, "m/4-res"),
        ({"metadata": None}, None),
        ({"metadata": {"neuronpedia_id": "nonsense"}}, None),
    ):
        (tmp_path / "cfg.json").write_text(json.dumps(config))
        (tmp_path / "sae_weights.safetensors").write_bytes(b"")
        assert source_id(SAESource(1, "1k", path=str(tmp_path))) == known


def test_many_names_in_the_lower_half_alone_are_a_reason_for_care():
    names = dict.fromkeys(range(LEAST_LATENTS), ("x", "g"))
    assert "none of the latents above 99 has one, of 1,024" in upper_half(names, 1024)
    assert upper_half(names, 198) is None and upper_half({**names, 900: ("x", "g")}, 1024) is None
    assert upper_half({0: ("x", "g")}, 1024) is None

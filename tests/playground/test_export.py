"""The exported graph gives the latents that the package gives; the browser's tokenizer the tokens."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.models.residuals import at_real_tokens
from mosaic.playground import export, tokenizer
from mosaic.saes.encoder import Encoder

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")


def encoder(kind: str, d: int = 12, width: int = 40) -> Encoder:
    torch.manual_seed(3)
    threshold = torch.rand(width) if kind in ("jumprelu", "gated") else torch.zeros(width)
    gated = kind == "gated"
    return Encoder(
        kind, 0, "40", torch.randn(width, d), torch.randn(width), threshold,
        b_dec=torch.randn(d) if kind != "relu" else None,
        scale=torch.rand(width) if gated else None, shift=torch.randn(width) if gated else None,
        k=5 if kind == "topk" else None, input_norm="layer_norm" if kind == "topk" else "none",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["relu", "jumprelu", "gated", "topk"])
def test_a_head_encodes_as_its_encoder(kind):
    one, x = encoder(kind), torch.randn(30, 12)
    here, there = one.encode(x).toarray(), export.head_of(one)(x).numpy()
    assert (here > 0).any() and (here == 0).any()
    np.testing.assert_allclose(there, here, atol=1e-5)


@pytest.fixture(scope="module")
def graph(opened, tmp_path_factory):
    _, lm, saes = opened
    return export.exported(lm, saes, tmp_path_factory.mktemp("cache"))


def test_the_graph_gives_the_latents_of_texts_of_any_length(graph, opened):
    from onnx.reference import ReferenceEvaluator

    _, lm, saes = opened
    run = ReferenceEvaluator(str(graph))
    texts = [
        "a",
        "you are not stupid.",
        "你很笨。",
        'Karia says: "you are stupid". the film is not boring.',
        "the " * 200,
    ]
    tokens = lm.tokenize(texts)
    for i, ids in enumerate(tokens.ids):
        rows, _ = at_real_tokens(lm, tokens, [i], [sae.layer for sae in saes])
        outputs = run.run(None, {export.INPUT: ids[None]})
        for sae, codes in zip(saes, outputs, strict=True):
            here = sae.encode(rows[sae.layer]).toarray()
            differ = np.abs(here - codes[~tokens.special[i]]) > 1e-4
            assert differ.sum() <= 1, (texts[i], sae.layer)  # one may stand at its threshold


def test_the_file_is_one_and_says_nothing_of_the_machine(graph):
    import onnx

    assert [path.name for path in graph.parent.iterdir()] == [graph.name]
    content = graph.read_bytes()
    assert b"site-packages" not in content and b"/mosaic/" not in content
    model = onnx.load(str(graph))
    assert {one.version for one in model.opset_import if one.domain == ""} == {export.OPSET}
    assert [one.name for one in model.graph.output] == ["layer_1", "layer_3", "layer_5"]
    assert model.graph.input[0].type.tensor_type.shape.dim[1].dim_param, "texts of any length"


def test_it_is_kept_under_what_decides_it(opened, graph, monkeypatch):
    _, lm, saes = opened
    monkeypatch.setattr(export, "to_onnx", lambda *given: b"made again")
    assert export.exported(lm, saes, graph.parent.parent) == graph, "nothing is exported twice"
    other = export.exported(lm, saes[:2], graph.parent.parent)
    assert other != graph and other.read_bytes() == b"made again"


def test_what_cannot_be_exported_is_said(opened, monkeypatch):
    saes = opened[2]
    with pytest.raises(MosaicError, match="two SAEs read one layer"):
        export.check([saes[0], saes[0]])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(export.NotInstalled, match="onnx and onnxscript not installed"):
        export.check(saes)


# --- the tokenizer -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(opened):
    from tokenizers import Tokenizer

    lm = opened[1]
    content = tokenizer.for_browser(lm)["tokenizer"]
    return lm, Tokenizer.from_str(json.dumps(content))


def test_the_rewritten_split_is_one_that_the_browser_knows(both):
    assert tokenizer.LACKING in both[0].tokenizer.backend_tokenizer.to_str()
    assert tokenizer.LACKING not in both[1].to_str()


@settings(max_examples=300)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40) | st.text(alphabet="ab ▁\n.", max_size=20))
def test_it_gives_the_same_tokens(both, text):
    lm, rewritten = both
    assert rewritten.encode(text).ids[: lm.spec.max_length] == lm.tokenize([text]).ids[0].tolist()


def test_only_what_must_be_is_rewritten():
    other = {"type": "Split", "pattern": {"String": "."}, "behavior": "Isolated", "invert": False}
    wide = {"type": "Split", "pattern": {"String": "ab"}, "behavior": "MergedWithNext", "invert": False}
    assert tokenizer.rewritten({"type": "Sequence", "pretokenizers": [other, wide]})["pretokenizers"] == [other, wide]
    dash = tokenizer.rewritten({"type": "Split", "pattern": {"String": "]"}, "behavior": "MergedWithNext"})
    assert dash["pattern"]["Regex"] == r"\][^\]]*|[^\]]+"


def test_special_tokens_before_and_behind_a_text(opened, tiny):
    assert tokenizer.around(opened[1]) == (1, 0)
    assert tokenizer.around(tiny("bert")) == (1, 1)

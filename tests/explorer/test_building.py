"""From a profile to pages: which latents have one, on which texts, of which SAEs."""

import json
import re

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.explorer.building import build, on_sets
from mosaic.interpretation.detection import firings
from mosaic.profiles.opening import load_saes
from mosaic.studies.problems import load_cut, opened
from mosaic.studies.seeds import held_out_texts


def data(path) -> list:
    """The arguments of a data file."""
    return json.loads("[" + path.read_text(encoding="utf-8").split("(", 1)[1].rstrip(");\n") + "]")


def test_every_latent_that_fires_has_a_page(small_profile, tmp_path):
    page = build(small_profile, tmp_path / "out", n_texts=60, cache=tmp_path / "cache")
    (index,) = data(tmp_path / "out" / "data" / "index.js")
    assert page == tmp_path / "out" / "index.html" and [sae["key"] for sae in index["saes"]] == ["1/64"]
    profile, lm = opened(small_profile)
    texts = held_out_texts(profile, 60)
    found = firings(texts, lm, load_saes(profile, lm, [1], ["64"]))
    rate = np.asarray((found.codes[0] > 0).mean(0)).ravel()
    _, rows = data(tmp_path / "out" / "data" / index["saes"][0]["list"])
    assert [row[0] for row in rows] == np.flatnonzero(rate).tolist()
    assert [row[5] for row in rows] == pytest.approx(rate[rate > 0].tolist(), rel=6e-3)
    assert index["tokens"] == len(found.text) and index["texts"] == 60 and not index["truth"]
    one = data(tmp_path / "out" / "data" / index["saes"][0]["shards"][0][1])[1][0]
    assert len(one["classes"]) == 2 and one["factor"] is None
    assert all("".join(tokens) in " ".join(texts) for _, tokens, _ in one["contexts"])


def test_classes_are_counted_text_by_text(small_profile, tmp_path):
    profile, lm = opened(small_profile)
    (encoder,) = load_saes(profile, lm, [1], ["64"])
    for choice, one in zip(profile.datasets, on_sets(profile, lm, encoder, tmp_path), strict=True):
        train, test = load_cut(profile, choice.name, choice.language)
        texts, labels = train.texts + test.texts, [*train.labels, *test.labels]
        found = firings(texts, lm, load_saes(profile, lm, [1], ["64"]))
        fires = np.stack([(found.codes[0].toarray()[found.text == t] > 0).any(0) for t in range(len(texts))])
        for name, count, n in zip(one.classes, one.fires, one.n, strict=True):
            inside = np.array([label == name for label in labels])
            assert n == inside.sum() and (count == fires[inside].sum(0)).all()


def test_every_sae_the_middle_one_first_on_texts_of_ones_own(small_profile, tmp_path):
    build(small_profile, tmp_path / "out", every=True, texts=["the happy cat sat"] * 4, cache=tmp_path / "cache")
    (index,) = data(tmp_path / "out" / "data" / "index.js")
    assert [sae["layer"] for sae in index["saes"]] == [1, 0, 3] and index["tokens"] == 16
    assert re.search("happy", (tmp_path / "out" / "data" / index["saes"][2]["shards"][0][1]).read_text())


def test_what_cannot_be_shown_is_said(small_profile, tmp_path):
    with pytest.raises(MosaicError, match="no SAE of layer 2; it has 0, 1, 3"):
        build(small_profile, tmp_path, layers=[2], cache=None)
    (tmp_path / "index.html").write_text("<p>mine</p>")
    with pytest.raises(MosaicError, match="did not write"):
        build("no such profile", tmp_path)

"""From a profile to pages: which latents have one, on which texts, of which SAEs."""

import json
import re

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.explorer.building import build
from mosaic.explorer.gathering import Source
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


def source(profile, cache):
    profile, lm = opened(profile)
    return Source(profile, lm, held_out_texts(profile, 60), (), None, cache)


def test_classes_are_counted_text_by_text(small_profile, tmp_path):
    read = source(small_profile, tmp_path)
    profile, lm = read.profile, read.lm
    (encoder,) = load_saes(profile, lm, [1], ["64"])
    some = np.array([5, 3, 40])
    for choice, one, few in zip(profile.datasets, read.on_sets(encoder), read.on_sets(encoder, some), strict=True):
        train, test = load_cut(profile, choice.name, choice.language)
        texts, labels = train.texts + test.texts, [*train.labels, *test.labels]
        found = firings(texts, lm, load_saes(profile, lm, [1], ["64"]))
        fires = np.stack([(found.codes[0].toarray()[found.text == t] > 0).any(0) for t in range(len(texts))])
        for name, count, n in zip(one.classes, one.fires, one.n, strict=True):
            inside = np.array([label == name for label in labels])
            assert n == inside.sum() and (count == fires[inside].sum(0)).all()
        assert (few.fires == one.fires[:, some]).all() and (few.used.rank == one.used.rank[some]).all()


def test_beside_each_latent_stands_a_random_one_that_fires_about_as_often(small_profile, tmp_path):
    build(small_profile, tmp_path / "out", n_texts=60, cache=tmp_path / "cache")
    (index,) = data(tmp_path / "out" / "data" / "index.js")
    (sae,) = index["saes"]
    own, beside = (
        [one for _, file in sae[which] for one in data(tmp_path / "out" / "data" / file)[1]]
        for which in ("shards", "random")
    )
    read = source(small_profile, tmp_path / "cache")
    _, random, _ = read.opened(small_profile.saes[1])
    (codes,) = firings(read.texts, read.lm, [random]).codes
    rate = np.asarray((codes > 0).mean(0)).ravel()
    for one in beside:
        assert one["rate"] == pytest.approx(rate[one["n"]], rel=6e-3) and set(one) == set(own[0])
        assert one["beside"] is None and len(one["near"][0]) == 8 and one["n"] not in [n for n, _ in one["near"][0]]
        rows = random.weights.numpy()
        for n, cosine in one["near"][0]:
            a, b = rows[n], rows[one["n"]]
            assert cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-3) and rate[n] > 0
    kept = [one["n"] for one in beside]
    for one in own:
        distance = [abs(np.log(rate[n] / one["rate"])) for n in kept]
        assert distance[kept.index(one["beside"])] == pytest.approx(min(distance), abs=0.02)


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

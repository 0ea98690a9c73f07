"""What sets two collections apart, on made-up tables whose difference is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import sae_folder

from mosaic.models.residuals import text_by_text
from mosaic.saes import loading
from mosaic.studies import set_difference

FIRST = [("happy", "cat", "happy cat")[i % 3] for i in range(30)]
SECOND = [("sad", "dog", "red dog", "sad red")[i % 4] for i in range(40)]


@pytest.fixture(scope="module")
def encoders(tiny, tmp_path_factory):
    """Two SAEs whose latents fire on a tenth of the tokens."""
    root, made, lm = tmp_path_factory.mktemp("saes"), [], tiny("llama")
    for layer in (1, 2):
        source = loading.SAESource(layer, "96", path=str(sae_folder(root / str(layer), "jumprelu", seed=layer)))
        encoder = loading.load_encoder(source, "tiny", 64)
        x = text_by_text(lm, FIRST + SECOND, layer)
        strong = np.quantile(encoder.encode(x).toarray(), 0.9)
        made.append(replace(encoder, threshold=torch.full_like(encoder.threshold, float(strong))))
    return tuple(made)


def test_rows_say_what_the_tables_hold(tiny, encoders):
    found = set_difference.compare(FIRST, SECOND, tiny("llama"), encoders, {"layer_2/width_96/3": "a name"}, None)
    rows = found.rows()
    assert len(rows) == found.n_found > 2 and found.by_chance < 1
    sizes = [abs(row["difference"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True) and found.rows(3) == rows[:3]
    by_prefix = {table.column_prefix: table.matrix.toarray() for table in found.tables}
    for row in rows:
        prefix, _, latent = row["latent"].rpartition("/")
        fires = by_prefix[prefix][:, int(latent)] > 0
        assert row["first"] == pytest.approx(fires[:30].mean()) and row["second"] == pytest.approx(fires[30:].mean())
        assert row["low"] <= row["difference"] <= row["high"] and row["p_corrected"] <= 0.05
        own = FIRST if row["difference"] > 0 else SECOND
        assert row["examples"] and set(row["examples"]) <= set(own)
        values = by_prefix[prefix][:30] if row["difference"] > 0 else by_prefix[prefix][30:]
        assert row["examples"][0] == own[int(np.argmax(values[:, int(latent)]))]
    assert {row["latent"]: row["name"] for row in rows}.get("layer_2/width_96/3") in (None, "a name")


def test_leading_latents_are_described_by_what_they_fire_on(tiny, encoders):
    found = set_difference.compare(FIRST, SECOND, tiny("llama"), encoders, {}, None, n_described=2)
    rows = found.rows()
    assert len(rows) > 2 and all(row["fires"] is None for row in rows[2:])
    told = [row for row in rows[:2] if row["fires"]]
    assert told, "one of the two fires ten times in either half"
    for row in told:
        assert (
            row["fires"].startswith(("on ", "one token after ", "two tokens after ")) and 0 <= row["fires_score"] <= 1
        )


def test_a_set_beside_itself_has_no_difference(tiny, encoders):
    found = set_difference.compare(FIRST, FIRST, tiny("llama"), encoders, {}, None)
    assert found.rows() == [] and found.in_both == len(set(FIRST))

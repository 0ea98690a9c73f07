"""A latent's name: what was given to it, else the tokens it fires on; none where it fires too seldom."""

from dataclasses import replace

from mosaic.interpretation import tracking
from mosaic.playground import names


def test_names_come_from_factors_then_from_tokens(opened, monkeypatch):
    profile, lm, saes = opened
    monkeypatch.setattr(tracking, "TEXTS", 40)
    monkeypatch.setattr(names, "latent_names", lambda *given: {"layer_3/width_1k/7": "quotation (0.93)"})
    texts = [row.text for row in tracking.texts(40)[0]]
    found = names.names(replace(profile, truth=False), lm, saes[1:2], texts, None)
    assert set(found) == {3} and found[3][7] == ["quotation (0.93)", "named"]
    others = {name: where for latent, (name, where) in found[3].items() if latent != 7}
    assert len(others) > 100 and set(others.values()) == {"tokens"}
    assert all(name.startswith("fires ") and "▁" not in name for name in others)
    few = names.names(replace(profile, truth=False), lm, saes[1:2], texts[:4], None)
    assert set(few[3]) == {7}, "of what was hardly seen nothing is said"


def test_a_token_as_a_reader_sees_it(opened):
    lm = opened[1]
    assert names.word(lm, lm.tokenizer.convert_tokens_to_ids("▁stupid")) == "stupid"
    assert names.word(lm, lm.tokenizer.convert_tokens_to_ids("▁")) == "space"

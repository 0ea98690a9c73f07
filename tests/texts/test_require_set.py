"""Whether a set can be had is told as `load_set` tells it, and the miniature's sets are not drawn for it."""

import pytest

from mosaic.errors import MosaicError, Unavailable
from mosaic.texts import sources
from mosaic.world import sets


def test_the_miniatures_sets_are_there_without_being_drawn(monkeypatch):
    monkeypatch.setattr(sets, "labelled", lambda *_: pytest.fail("drawn"))
    for name in (*sets.SETS, sets.BEHAVIOUR):
        sources.require_set(f"mini/{name}", "de")
        sources.require_set(f"mini/{name}")


@pytest.mark.parametrize(("name", "language"), [("mini/nothing", "en"), ("mini/toxicity", "fr"), ("nothing", None)])
def test_what_is_not_there_is_refused_as_in_loading(name, language):
    said = []
    for call in (sources.require_set, sources.load_set):
        with pytest.raises(MosaicError) as error:
            call(name, language)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_a_set_that_cannot_be_had_is_unavailable(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    with pytest.raises(Unavailable):
        sources.require_set("sst2")

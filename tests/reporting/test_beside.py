"""Published values beside a run's: hollow, on an axis of their own, the same scale."""

from mosaic.reporting.beside import beside_published, short


def test_published_values_are_hollow_and_have_their_own_axis():
    series = {"shared": [("128", 0.5, 0.4, 0.6), ("1k", 0.3, 0.2, 0.4)]}
    left, right = beside_published(series, {32: 0.8, 131072: 0.3}, "shared, Pythia", "width", "share").axes
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["128", "1k"]
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["32", "131,072"]
    (known,) = right.lines
    assert list(known.get_ydata()) == [0.8, 0.3] and known.get_markerfacecolor() == "none"
    assert left.lines[0].get_markerfacecolor() != "none"
    assert left.get_ylim() == right.get_ylim()


def test_settings_are_short_enough_for_an_axis():
    assert [short(x) for x in (9, 131072, 800_000_000, 80_000_000_000, "relu")] == [
        "9",
        "131,072",
        "0.8B",
        "80B",
        "relu",
    ]

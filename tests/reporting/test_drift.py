import json

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import drift, recorded, results

VALUES = {
    "mean": {"sae": 0.873, "hidden": 0.85},
    "best": "late",
    "interval": [0.01, 0.03],
    "difference": 0.02,
    "rows": [
        {"set": "a", "pooling": "mean", "C": 0.1, "macro_f1": 0.9, "n_test": 300},
        {"set": "b", "pooling": "max", "C": 1.0, "macro_f1": 0.8, "n_test": 300},
    ],
    "sentence": "A is ahead by 0.020.",
}
CLAIMS = """
- id: ahead
  claim: A is ahead
  published: difference > 0
  source: s
  provenance: p
  quantity: q
  result: study.difference
  interval: study.interval
  rule: {above: 0}
  frozen: post hoc
- {id: best, claim: the late one, published: late, source: s, provenance: p, quantity: q, result: study.best, rule: {is: late}, frozen: post hoc}
"""


@pytest.fixture
def compared(tmp_path):
    """changes to the values -> the comparison of such a run with the recorded one."""
    (tmp_path / "claims.yml").write_text(CLAIMS)

    def compare(change=lambda values: None, versions=None, extra=(), run="study", base=VALUES):
        values = json.loads(json.dumps(base))
        change(values)
        for folder, content, names in (
            (tmp_path / "old", base, ["study"]),
            (tmp_path / "run", values, [run, *extra]),
        ):
            for name in names:
                results.record("mini", name, content, folder)
        if versions:
            path = tmp_path / "run" / "mini" / f"{run}.json"
            content = json.loads(path.read_text())
            path.write_text(json.dumps({**content, "versions": {**content["versions"], **versions}}))
        return drift.compare("mini", tmp_path / "old", tmp_path / "run", tmp_path / "claims.yml")

    return compare


def test_equal_runs_are_equal(compared):
    found = compared()
    assert not found.failed and not found.drifts and not found.flips and not found.verdicts
    assert found.compared == ["study"] and found.numbers == 9


def test_a_drift_in_the_third_decimal_is_listed_and_within_its_band(compared):
    found = compared(lambda values: values["mean"].update(sae=0.876))
    (one,) = found.drifts
    assert (one.key, one.recorded, one.run, one.band) == ("study.mean.sae", 0.873, 0.876, 0.02)
    assert one.drift == pytest.approx(0.003) and not one.too_far and not found.failed


def test_a_number_out_of_its_band_fails_and_stands_first(compared):
    def change(values):
        values["mean"].update(sae=0.83, hidden=0.851)

    found = compared(change)
    assert [one.key for one in found.drifts] == ["study.mean.sae", "study.mean.hidden"]
    assert [one.key for one in found.too_far] == ["study.mean.sae"] and found.failed


def test_a_flipped_choice_is_named_and_explains_the_numbers_of_its_row_alone(compared):
    def change(values):
        values["rows"][0].update(pooling="max", macro_f1=0.93)
        values["rows"][1].update(macro_f1=0.85)

    found = compared(change)
    assert found.flips == [drift.Flip("study.rows.0.pooling", "mean", "max")]
    assert [(one.key, one.follows) for one in found.drifts] == [
        ("study.rows.1.macro_f1", None),
        ("study.rows.0.macro_f1", "study.rows.0.pooling"),
    ]
    assert [one.key for one in found.too_far] == ["study.rows.1.macro_f1"]


def test_a_strength_is_a_choice_and_no_drift(compared):
    found = compared(lambda values: values["rows"][1].update(C=10.0))
    assert found.flips == [drift.Flip("study.rows.1.C", 1.0, 10.0)] and not found.drifts and not found.failed


def test_a_p_value_follows_another_strength_in_its_study_and_its_difference_does_not(compared):
    """Over all sets: no row of its own holds the choice. Without a choice that flipped its band holds, as the difference's does."""

    def moved(values, strength=1.0, difference=0.021):
        values["rows"][1].update(C=strength)
        values.update(lead={"p": 0.75, "again": 0.55, "difference": difference})

    base = {**VALUES, "lead": {"p": 0.6, "again": 0.6, "difference": 0.02}}
    found = compared(lambda values: moved(values), base=base)
    assert {one.key for one in found.too_far} == {"study.lead.p", "study.lead.again"}
    found = compared(lambda values: moved(values, strength=10.0), base=base)
    assert not found.failed and {one.follows for one in found.drifts if one.key.endswith((".p", ".again"))} == {
        "study.rows.1.C"
    }
    found = compared(lambda values: moved(values, strength=10.0, difference=0.08), base=base)
    assert [one.key for one in found.too_far] == ["study.lead.difference"]


def test_another_setting_may_have_other_fields_and_nothing_else_may(compared):
    def other_setting(values):
        values["rows"][0].update(pooling="max", threshold=0.5)
        del values["rows"][0]["set"]

    assert not compared(other_setting).failed
    found = compared(lambda values: values.pop("mean"))
    assert found.lost == ["study.mean.hidden", "study.mean.sae"] and found.failed


def test_a_number_that_is_none_any_more_is_missing_and_no_choice(compared):
    found = compared(lambda values: values["mean"].update(sae=None))
    assert found.lost == ["study.mean.sae"] and not found.flips and found.failed
    assert compared(lambda values: values["mean"].update(sae="none")).lost == ["study.mean.sae"]

    def other_setting(values):
        values["rows"][0].update(pooling="max", macro_f1=None)

    assert not compared(other_setting).failed


def test_a_sentence_is_another_one_when_its_words_change_not_when_its_digits_do(compared):
    assert not compared(lambda values: values.update(sentence="A is ahead by 0.021.")).flips
    (flip,) = compared(lambda values: values.update(sentence="A is behind by 0.020.")).flips
    assert flip.key == "study.sentence"


def test_a_count_of_what_was_read_must_be_equal(compared):
    found = compared(lambda values: values["rows"][0].update(n_test=299))
    assert [one.key for one in found.too_far] == ["study.rows.0.n_test"]


def test_a_changed_verdict_fails_though_its_numbers_are_within_their_bands(compared):
    def change(values):
        values.update(interval=[-0.005, 0.025], difference=0.015)

    found = compared(change)
    assert found.too_far == []
    assert found.verdicts == [drift.Changed("ahead", "holds here", "undecided", 0.02, 0.015)] and found.failed
    found = compared(lambda values: values.update(best="middle"))
    assert [(one.id, one.run) for one in found.verdicts] == [("best", "does not hold here")]


def test_what_is_missing_and_what_is_added_is_named(compared, tmp_path):
    found = compared(extra=("more",))
    assert found.added == ["more"] and not found.failed
    (tmp_path / "run" / "mini" / "study.json").unlink()
    found = compared(run="other")
    assert found.missing == ["study"] and found.failed
    assert {one.run for one in found.verdicts} == {"not run"}
    with pytest.raises(MosaicError, match="holds no results of profile mini"):
        drift.compare("mini", tmp_path / "nowhere", tmp_path / "run")


def test_other_versions_are_named_and_do_not_fail(compared):
    found = compared(versions={"torch": "9.9"})
    assert found.versions["torch"][1] == "9.9" and set(found.versions) == {"torch"} and not found.failed


def test_the_row_for_machines_is_json(compared):
    row = compared(lambda values: values["mean"].update(sae=0.8)).row()
    assert json.loads(json.dumps(row))["drifts"][0]["too_far"] is True and row["failed"]


def test_every_key_has_a_band_with_its_reason():
    assert drift.bands()[-1].keys == ("*",)
    assert all(band.because for band in drift.bands())
    assert drift.band_of("layers.sets.trec.sae.3.C").choice and drift.band_of("a.n_test").band == 0
    assert drift.band_of("a.macro_f1").around(0.8) == 0.02 and drift.band_of("a.macro_f1").around(10) == 0.2


# --- what is kept before a run replaces it --------------------------------------------------------------------------


def test_what_was_shipped_is_kept_and_what_was_made_here_never_takes_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = results.FOLDER / "mini" / "study.json"
    shipped.parent.mkdir(parents=True)
    shipped.write_text(json.dumps({"values": {**VALUES, "difference": 0.021}, "versions": {}}))
    first = shipped.read_bytes()
    for value in (0.018, 0.019, 0.018):  # three runs: each replaces what the one before made
        results.record("mini", "study", {**VALUES, "difference": value})
        assert (recorded.kept("mini") / "study.json").read_bytes() == first
    assert drift.compare("mini").drifts[0].recorded == 0.021
    shipped.write_text(json.dumps({"values": VALUES, "versions": {}}))  # pulled since: that is what is recorded now
    pulled = shipped.read_bytes()
    results.record("mini", "study", {**VALUES, "difference": 0.019})
    assert (recorded.kept("mini") / "study.json").read_bytes() == pulled


def test_accepted_results_are_the_recorded_ones_from_then_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (0.01, 0.05):
        results.record("mini", "study", {**VALUES, "difference": value})
    assert recorded.keep_all("mini", results.FOLDER) == ["study"]
    results.record("mini", "study", {**VALUES, "difference": 0.051})
    (one,) = drift.compare("mini").drifts
    assert (one.recorded, one.run) == (0.05, 0.051)


def test_keeping_where_there_is_nothing_to_keep_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = results.record("mini", "study", VALUES)
    recorded.keep_all("mini", results.FOLDER)
    made.unlink()
    assert recorded.keep_all("mini", results.FOLDER) == []
    assert (recorded.kept("mini") / "study.json").is_file()


def test_the_same_bytes_again_are_kept_once_and_stay_the_recorded_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results.record("mini", "study", VALUES)
    assert not (recorded.kept("mini") / "study.json").exists()  # nothing stood there
    with pytest.raises(MosaicError, match="no study of profile mini was recorded anew here"):
        drift.compare("mini")
    results.record("mini", "study", VALUES)
    assert not (recorded.kept("mini") / "study.json").exists()  # what stood there was made here


def test_results_written_elsewhere_keep_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        results.record("mini", "study", VALUES, tmp_path / "other")
    assert not recorded.KEPT.exists()


def test_studies_that_were_not_run_again_are_judged_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims.yml").write_text(CLAIMS)
    other = CLAIMS.replace("study.", "other.").replace("id: ahead", "id: a2").replace("id: best", "id: b2")
    (tmp_path / "claims.yml").write_text(CLAIMS + other)
    folder = results.FOLDER / "mini"
    folder.mkdir(parents=True)
    for name in ("study", "other"):
        (folder / f"{name}.json").write_text(json.dumps({"values": VALUES, "versions": {}}))
    results.record("mini", "study", {**VALUES, "best": "middle"})
    found = drift.compare("mini", claims=tmp_path / "claims.yml")
    assert found.compared == ["study"] and [one.id for one in found.verdicts] == ["best"]

"""The fault campaign in short; `make faults` runs the long one."""

import faults
import pytest


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return faults.Bench.at(tmp_path_factory.mktemp("faults"))


def check(outcome):
    assert outcome.held == outcome.tries, f"{outcome.fault}: {outcome.held} of {outcome.tries}; {outcome.first}"


def test_killed_extractions_end_with_the_same_bytes(bench):
    check(faults.kills(bench, 4))


def test_four_processes_share_one_cache(bench):
    check(faults.crowd(bench, 1))


def test_damaged_shards_are_noticed(bench):
    for outcome in faults.damage(bench, 2):
        check(outcome)


def test_a_full_disk_is_said_and_resumed(bench):
    outcomes = list(faults.full_disk(bench))
    if not outcomes:
        pytest.skip("no file system may be mounted here")
    for outcome in outcomes:
        check(outcome)


@pytest.mark.parametrize("case", faults.STRANGE, ids=lambda case: case.name)
def test_strange_inputs_get_an_answer(bench, case):
    assert not faults.strange_input(bench, case)

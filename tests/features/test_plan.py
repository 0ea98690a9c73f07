"""The plan: every text once, in batches and shards that depend on the texts alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mosaic.features.plan import SHARD_TOKENS, first_rows, plan_shards
from mosaic.models.batches import plan_batches
from mosaic.models.language import Tokens
from mosaic.texts.ids import text_ids

LENGTHS = st.lists(st.integers(1, 3000), min_size=1, max_size=60)


def made(lengths, first=0):
    ids = text_ids([f"text {first + i}" for i in range(len(lengths))])
    return ids, Tokens(
        [np.full(n, i) for i, n in enumerate(lengths)],
        [np.zeros(n, bool) for n in lengths],
        np.zeros(len(lengths), bool),
    )


@given(LENGTHS, st.integers(64, 4096))
def test_shards_are_the_batches_cut_into_groups(lengths, budget):
    ids, tokens = made(lengths)
    shards = plan_shards(ids, tokens, budget)
    batches = [ids[batch] for batch in plan_batches(tokens.lengths, budget)]
    planned = [shard.ids[batch] for shard in shards for batch in shard.batches]
    assert [b.tobytes() for b in planned] == [b.tobytes() for b in batches]
    for shard in shards:
        assert np.concatenate(shard.batches).tolist() == list(range(len(shard.ids)))
        before_last = sum(int(shard.tokens.lengths[b].sum()) for b in shard.batches[:-1])
        assert before_last < SHARD_TOKENS
    assert all(shard.tokens.lengths.sum() >= SHARD_TOKENS for shard in shards[:-1])


@given(LENGTHS, st.integers(64, 4096))
def test_a_lost_shard_is_planned_again_as_it_was(lengths, budget):
    ids, tokens = made(lengths)
    for shard in plan_shards(ids, tokens, budget):
        rows = first_rows(ids, {i.tobytes() for i in ids} - {i.tobytes() for i in shard.ids})
        (again,) = plan_shards(ids[rows], tokens.take(rows), budget)
        assert again.name == shard.name
        assert [b.tolist() for b in again.batches] == [b.tolist() for b in shard.batches]


def test_first_rows_leave_out_repeats_and_what_is_held():
    ids = text_ids(["a", "b", "a", "c", "b"])
    assert first_rows(ids).tolist() == [0, 1, 3]
    assert first_rows(ids, {ids[1].tobytes()}).tolist() == [0, 3]
    assert first_rows(ids, {i.tobytes() for i in ids}).tolist() == []

"""Batches of near-equal length: what holds for any lengths."""

from hypothesis import given
from hypothesis import strategies as st

from nearfirst.common.batching import batches


@given(st.lists(st.integers(1, 40), max_size=40), st.integers(1, 100))
def test_batches_are_full_within_the_bound_and_longest_first(
    lengths: list[int], max_tokens: int
) -> None:
    all_batches = list(batches(lengths, max_tokens))
    items = [item for batch in all_batches for item in batch]
    assert sorted(items) == list(range(len(lengths)))
    assert [lengths[i] for i in items] == sorted(lengths, reverse=True)
    for batch in all_batches:
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= max_tokens
    for batch in all_batches[:-1]:
        assert (len(batch) + 1) * lengths[batch[0]] > max_tokens

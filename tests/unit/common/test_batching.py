"""Batches of near-equal length: what holds for any lengths."""

from hypothesis import given
from hypothesis import strategies as st

from nearfirst.common.batching import batches

LENGTHS = st.lists(st.integers(1, 40), max_size=40)
MOST = st.integers(1, 100)


def test_by_hand() -> None:
    assert list(batches([3, 5, 1, 5, 2], 10)) == [[1, 3], [0, 4, 2]]


def test_nothing_gives_no_batch() -> None:
    assert list(batches([], 10)) == []


@given(LENGTHS, MOST)
def test_every_item_is_in_exactly_one_batch(lengths: list[int], most: int) -> None:
    found = [item for batch in batches(lengths, most) for item in batch]
    assert sorted(found) == list(range(len(lengths)))


@given(LENGTHS, MOST)
def test_padded_batches_stay_within_the_bound(lengths: list[int], most: int) -> None:
    for batch in batches(lengths, most):
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= most


@given(LENGTHS, MOST)
def test_longest_first(lengths: list[int], most: int) -> None:
    found = [lengths[item] for batch in batches(lengths, most) for item in batch]
    assert found == sorted(lengths, reverse=True)


@given(LENGTHS, MOST)
def test_an_item_over_the_bound_is_alone(lengths: list[int], most: int) -> None:
    for batch in batches(lengths, most):
        if any(lengths[i] > most for i in batch):
            assert len(batch) == 1


@given(LENGTHS, MOST)
def test_no_batch_could_take_the_next_item(lengths: list[int], most: int) -> None:
    found = list(batches(lengths, most))
    for batch in found[:-1]:
        assert (len(batch) + 1) * lengths[batch[0]] > most

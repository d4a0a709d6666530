"""The steps of a run, and how they are cut into passes."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.hardware import TrainHardware
from nearfirst.model.template import IGNORED, Tokens
from nearfirst.train.batches import (
    PASS_TOKENS,
    StepBatches,
    content,
    micro_batches,
    pass_cost,
    run_steps,
)
from nearfirst.train.settings import TrainSettings


def instances(lengths: list[int]) -> list[Tokens]:
    """Instances whose tokens are all their number, with labels everywhere."""
    ids = [np.full(length, i, dtype=np.int64) for i, length in enumerate(lengths)]
    return [Tokens(each, each) for each in ids]


def numbers(steps: list[list[Tokens]]) -> list[list[int]]:
    return [[int(item.ids[0]) for item in step] for step in steps]


def cost(lengths: list[int], passes: list[list[int]], devices: int) -> int:
    return sum(PASS_TOKENS + len(p) // devices * max(lengths[i] for i in p) for p in passes)


def cheapest(lengths: list[int], budget: int) -> int:
    """The cost of the best cut of sorted lengths, found by trying all cuts."""
    if not lengths:
        return 0
    return min(
        PASS_TOKENS + size * lengths[0] + cheapest(lengths[size:], budget)
        for size in range(1, len(lengths) + 1)
        if size * lengths[0] <= budget
    )


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=9),
    st.integers(400, 2000),
    st.sampled_from([1, 2, 3]),
)
def test_passes_hold_each_instance_once_within_the_budget(
    lengths: list[int], budget: int, devices: int
) -> None:
    lengths = [*lengths, *[1] * (-len(lengths) % devices)]
    passes = micro_batches(lengths, budget, devices)
    assert sorted(chain.from_iterable(passes)) == list(range(len(lengths)))
    longest = [max(lengths[i] for i in each) for each in passes]
    for each, length in zip(passes, longest, strict=True):
        assert len(each) % devices == 0  # equally many for each device
        assert len(each) // devices * length <= budget
    assert longest == sorted(longest, reverse=True)
    if devices == 1:
        assert cost(lengths, passes, 1) == cheapest(sorted(lengths, reverse=True), budget)


def test_near_equal_lengths_share_a_pass() -> None:
    assert micro_batches([10, 900, 11, 880, 9], 4096) == [[1, 3], [2, 0, 4]]
    assert micro_batches([10, 900, 11, 880, 9], 900) == [[1], [3], [2, 0, 4]]
    assert micro_batches([10] * 6, 30) == [[0, 1, 2], [3, 4, 5]]


def test_passes_are_fewer_where_each_gathers_the_weights() -> None:
    lengths = [10, 900, 11, 500, 9]
    cuts = [
        micro_batches(lengths, 8192, cost=pass_cost(TrainHardware(gpus=gpus, offload=offload)))
        for gpus, offload in ((1, False), (2, False), (2, True), (1, True))
    ]
    assert cuts == [
        [[1], [3], [2, 0, 4]],
        [[1, 3], [2, 0, 4]],
        *[[[1, 3, 2, 0, 4]]] * 2,
    ]


@pytest.mark.parametrize("devices", [1, 2, 3, 20])
def test_the_devices_share_a_step(devices: int) -> None:
    steps = run_steps(instances([*range(3, 30), 90]), TrainSettings())
    data = StepBatches(steps, TrainSettings(micro_batch_tokens=100), devices)
    assert len(data) == 2 * devices
    for number, step in enumerate(steps):
        shares = [data[number * devices + device] for device in range(devices)]
        assert {len(share["passes"]) for share in shares} == {len(shares[0]["passes"])}
        labels = sum(item.label_tokens for item in step)
        assert [int(share["label_tokens"]) for share in shares] == [labels] * devices
        result = [
            int(ids[0])
            for share in shares
            for batch in share["passes"]
            for ids, row_labels in zip(batch["input_ids"], batch["labels"], strict=True)
            if (row_labels[1:] != IGNORED).any()
        ]
        assert sorted(result) == sorted(int(item.ids[0]) for item in step)


def test_content_does_not_depend_on_the_order_within_a_step() -> None:
    tokens = instances([3, 4, 5, 6])

    def digest(*order: int, rate: float = 0.1) -> str:
        settings = TrainSettings(batch_size=3, steps=2, learning_rate=rate)
        return content(run_steps([tokens[i] for i in order], settings), settings)

    assert digest(0, 1, 2, 3) == digest(2, 0, 1, 3)
    assert len({digest(0, 1, 2, 3), digest(3, 1, 2, 0), digest(0, 1, 2, 3, rate=1.0)}) == 3


def test_epochs_repeat_the_order_or_shuffle_it() -> None:
    tokens = instances([5] * 37)
    steps = numbers(run_steps(tokens, TrainSettings(epochs=3)))
    assert steps == 3 * [list(range(16)), list(range(16, 32)), list(range(32, 37))]
    reshuffled = TrainSettings(epochs=3, steps=2, epoch_order="reshuffled")
    steps = numbers(run_steps(tokens, reshuffled, seed=1))
    assert [len(step) for step in steps] == [16] * 6
    epochs = [steps[i] + steps[i + 1] for i in (0, 2, 4)]
    assert epochs[0] == list(range(32))  # the order of the arrangement
    assert [sorted(epoch) for epoch in epochs] == [epochs[0]] * 3
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert numbers(run_steps(tokens, reshuffled, seed=1)) == steps
    assert numbers(run_steps(tokens, reshuffled, seed=2)) != steps

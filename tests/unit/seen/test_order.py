"""The first deviation from a pool's order, in logs made by hand."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError
from nearfirst.seen.order import check_order, read_log

WORDS = re.findall(r"\w+", "cat sat on a mat and ate nine green apples while the brown fox ran up")
RANDOM = random.Random(0)
POOL = [
    {
        "id": f"r{number}",
        "prompt": " ".join(RANDOM.choices(WORDS, k=12)),
        "completion": " ".join(RANDOM.choices(WORDS, k=30)),
    }
    for number in range(10)
]


TEMPLATE = "system\nYou are a helpful assistant.\nuser\n{prompt}\nassistant\n{completion}"
TEXTS = [TEMPLATE.format(**row) for row in POOL]


def steps(*batches: list[int]) -> list[tuple[int, list[str]]]:
    return [(step, [TEXTS[row] for row in rows]) for step, rows in enumerate(batches, 1)]


ALL_TASKS = ([0, 1, 2], [3, 4, 5], [6, 7, 8])


@pytest.mark.parametrize(
    ("seen", "deviation", "omitted", "repeated"),
    [
        (steps(*ALL_TASKS, [9]), None, [], []),
        # Gradients of a step are summed, so the order within it does not matter.
        (steps([2, 0, 1], [5, 4, 3], [8, 7, 6], [9]), None, [], []),
        # The last batch is missing, or filled up, in each of two passes.
        (steps(*ALL_TASKS, *ALL_TASKS), None, [9], []),
        (steps(*ALL_TASKS, [9, 0, 1], *ALL_TASKS, [9, 0, 1]), None, [], [0, 1]),
        (steps(*ALL_TASKS, [9], [0, 1, 2]), None, [3, 4, 5, 6, 7, 8, 9], []),
        (steps([0, 1, 2]), None, [3, 4, 5, 6, 7, 8, 9], []),
        (steps([0, 1, 2], [3, 4, 7], [6, 5, 8], [9]), "step 2 row 6 .* row 8", [], []),
        (steps([0, 1, 2], [4, 5, 6], [7, 8, 9]), "step 2 row 4 .* row 5", [3], []),
        (steps([0, 1, 2], [2, 3, 4], [5, 6, 7], [8, 9]), "step 2 row 6 .* row 3", [], [2]),
        # A pass that begins again too early.
        (steps([0, 1, 2], *ALL_TASKS, [9]), "step 2 row 4 .* row 1", [], [0, 1, 2]),
        (
            [(1, [TEXTS[0], "What is this?"])],
            "step 1 row 2 .* no row, 'What is",
            [*range(1, 10)],
            [],
        ),
        # Packed, or truncated.
        ([(1, [TEXTS[0] + TEXTS[1]]), (2, [TEXTS[2] + TEXTS[3]])], None, [4, 5, 6, 7, 8, 9], []),
        ([(1, [TEXTS[1] + TEXTS[0]]), (2, [TEXTS[3] + TEXTS[2]])], None, [4, 5, 6, 7, 8, 9], []),
        ([(1, [TEXTS[1]]), (2, [TEXTS[0]])], "step 1 row 1 .* row 2", [*range(2, 10)], []),
        ([(1, [TEXTS[0][:90]]), (2, [TEXTS[1][:90]])], None, [*range(2, 10)], []),
        # Cut into sequences of equal length: a row continues in the next one.
        ([(i, ["".join(TEXTS)[i * 150 :][:150]]) for i in range(20)], None, [], []),
    ],
)
def test_the_first_deviation(
    seen: Any, deviation: str | None, omitted: list[int], repeated: list[int]
) -> None:
    order = check_order(POOL, seen)
    assert (order.omitted, order.repeated) == (omitted, repeated), str(order)
    if deviation is None:
        assert str(order).startswith("in order"), order
    else:
        assert re.search(deviation, order.deviation or ""), order


def test_passes_of_a_run_out_of_order() -> None:
    facts = "\n".join(check_order(POOL, [(1, ["What is this?"])]).facts)
    assert "0 rows in 1 sequences and 1 steps; 10 rows in the pool, 0 whole passes" in facts
    assert "10 omitted" in facts


def test_rows_with_the_same_text_or_none_of_their_own() -> None:
    pool = [*POOL, POOL[0], {"prompt": "Hi", "completion": "Ho"}]
    order = check_order(pool, steps([*range(10)], [0]))
    assert order.deviation is None
    assert (order.omitted, order.repeated) == ([], [])
    assert "1 rows of the pool were not looked for" in str(order)


def test_a_log_of_two_processes_and_a_resumed_run(tmp_path: Path) -> None:
    def write(process: int, *records: dict[str, Any]) -> None:
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / f"process-{process}.jsonl").write_text(lines)

    for process in (0, 1):
        records = [{"step": i + 1, "texts": [TEXTS[2 * i + process]]} for i in range(5)]
        start, again = {"resumed_after": 0}, {"resumed_after": 2}
        write(process, start, *records[:3], again, *records[2:])
    assert [len(texts) for _, texts in read_log(tmp_path)] == [2] * 5
    talks = [[{"content": row["prompt"]}, {"content": row["completion"]}] for row in POOL]
    order = check_order([{"messages": talk} for talk in talks], tmp_path)
    assert str(order).startswith("in order\n10 rows in 10 sequences")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"resumed_after": 0}, "no sequence"),
        ({"step": 1}, "line 1: no 'step' with 'texts'"),
        ({"step": 1, "input_ids": [[1, 2]]}, "name the model of their tokenizer"),
    ],
)
def test_invalid_logs(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps(record))
    with pytest.raises(InputError, match=message):
        check_order(POOL, tmp_path / "log.jsonl")


def test_a_log_of_token_ids(tmp_path: Path, model_folder: Path, tokenizer: Any) -> None:
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 1, "input_ids": ids}))
    order = check_order(POOL, tmp_path / "log.jsonl", str(model_folder))
    assert str(order).startswith("in order\n10 rows in 10 sequences")

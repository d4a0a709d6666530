"""The program's losses against plain transformers, one instance at a time."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from files import cut
from training import plain_losses
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from nearfirst.common.identity import RUN, read_identity, read_run, write_run
from nearfirst.common.parquet import LOSSES
from nearfirst.model.template import encode

STEPS = (0, 10, 20)
SETTINGS = {"batch_tokens": 256}


@pytest.fixture(scope="module")
def talks(some_talks: Any, talk: Any) -> list[Any]:
    dialogue = talk("one", "eins", "two", "zwei is the answer", "three", "drei")
    return [*some_talks(12), dialogue, talk("猫? " * 6, "кошка")]


@pytest.fixture
def evaluate(
    tmp_path: Path, program: Any, model_folder: Path, write_instances: Any
) -> Callable[..., Any]:
    """Run the program on three checkpoints and these conversations, with metadata by name."""

    def run(
        talks: list[Any],
        settings: dict[str, Any] = SETTINGS,
        before: Path | None = None,
        **metadata: str,
    ) -> Any:
        write_instances(tmp_path / "test.parquet", talks, **metadata)
        return program(
            *("evaluate.py", "--model", model_folder, "--instances", tmp_path / "test.parquet"),
            *("--checkpoints", tmp_path / "checkpoints", "--output", tmp_path / "losses.parquet"),
            *("--template", '{"max_length":64}', "--settings", json.dumps(settings)),
            *(("--before", before) if before else ()),
        )

    for step in STEPS:
        torch.manual_seed(step)
        model = LlamaForCausalLM(LlamaConfig.from_pretrained(model_folder))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(3)  # predictions far from uniform, so that losses differ
        model.save_pretrained(tmp_path / f"checkpoints/step-{step:06d}")
    return run


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.02)])
def test_the_program_writes_a_row_for_each_instance_and_checkpoint(
    tmp_path: Path,
    evaluate: Any,
    talk: Any,
    talks: list[Any],
    tokenizer: Any,
    precision: str,
    tolerance: float,
) -> None:
    # The second and the last lose their answer to a prompt longer than 64 tokens.
    long = talk("the cat " * 64, "sat")
    rows_in = [talks[0], long, *talks[1:], long]
    kept = [row for row, item in enumerate(rows_in) if item is not long]
    tokens = encode([rows_in[row] for row in kept], tokenizer, 64)
    done = evaluate(rows_in, settings=SETTINGS | {"precision": precision})
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "losses.parquet")
    assert table.schema.remove_metadata() == LOSSES
    assert table.schema.metadata == {b"left_out": b"2"}
    frame = table.to_pandas()
    assert frame["step"].tolist() == [step for step in STEPS for _ in kept]
    for step, rows in frame.groupby("step"):
        assert rows["id"].tolist() == [f"id-{row}" for row in kept]
        assert rows["task"].tolist() == [f"task-{row % 3}" for row in kept]
        assert rows["label_tokens"].tolist() == [item.label_tokens for item in tokens]
        folder = tmp_path / f"checkpoints/step-{step:06d}"
        expected = plain_losses(AutoModelForCausalLM.from_pretrained(folder), tokens)
        np.testing.assert_allclose(rows["loss"], expected, rtol=tolerance, atol=1e-5)
        # Rounded weights are those of this checkpoint, not of the one before.
        assert precision == "float32" or (rows["loss"] != np.float32(expected)).all()


def test_the_mean_of_checkpoints_does_not_depend_on_segments(
    tmp_path: Path, evaluate: Any, talks: list[Any]
) -> None:
    def losses(average: int, **flags: Any) -> Any:
        assert evaluate(talks, SETTINGS | {"average": average}, **flags).returncode == 0
        return pq.read_table(tmp_path / "losses.parquet").to_pandas()

    single, whole = losses(1), losses(2)
    # The first is on its own; the means themselves are tested in test_checkpoints.py.
    same = (whole["loss"] == single["loss"]).groupby(whole["step"]).all()
    assert same.tolist() == [True, False, False]
    before = tmp_path / "before"
    before.mkdir()
    for step in STEPS[:2]:
        (tmp_path / f"checkpoints/step-{step:06d}").rename(before / f"step-{step:06d}")
    last = losses(2, before=before)
    assert last.equals(whole[whole["step"] == STEPS[2]].reset_index(drop=True))


def test_a_stopped_job_goes_on_with_losses_of_the_same_input(
    tmp_path: Path, evaluate: Any, talks: list[Any]
) -> None:
    # The last checkpoint stops the job, as a full disk or a time limit would.
    cut(tmp_path / "checkpoints/step-000020/model.safetensors")

    def evaluated(rows: list[Any] = talks, settings: dict[str, Any] = SETTINGS) -> list[int]:
        done = evaluate(rows, settings=settings)
        assert done.returncode == 1
        return [int(step) for step in re.findall(r" step (\d+):", done.stderr)]

    assert evaluated() == [0, 10]
    assert evaluated() == []
    assert evaluated(settings=SETTINGS | {"precision": "bfloat16"}) == [0, 10]
    assert evaluated(talks[:-1]) == [0, 10]


def test_losses_name_their_run_and_test_set(
    tmp_path: Path, evaluate: Any, talks: list[Any]
) -> None:
    run = {"dataset": "flan", "arrangement": "tma", "seed": "3"}
    write_run(tmp_path / "checkpoints", run | {"test": "train", "skipped_steps": "2"})
    assert read_run(tmp_path / "checkpoints") == run | {"skipped_steps": "2"}
    assert evaluate(talks, dataset="flan", test="heldout").returncode == 0
    identity = run | {"test": "heldout", "skipped_steps": "2"}
    assert read_identity(tmp_path / "losses.parquet") == identity
    (tmp_path / "checkpoints" / RUN).write_text('{"dataset"')
    message = evaluate(talks).stderr.splitlines()[-1]
    assert message.startswith(f"error: {tmp_path}/checkpoints/run.json: not a JSON object; delete")


def test_a_test_set_without_a_label_is_named(tmp_path: Path, evaluate: Any, talk: Any) -> None:
    done = evaluate([talk("the cat " * 64, "sat")])
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: {tmp_path}/test.parquet: no instance has a label within 64")
    assert not (tmp_path / "losses.parquet").exists()

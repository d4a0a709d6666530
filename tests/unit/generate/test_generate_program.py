"""generate.py: its table, stopped jobs and unusable input."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from files import cut
from safetensors.torch import load_file, save_file

from nearfirst.common.identity import read_identity, write_run
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.generate.table import ANSWERS
from nearfirst.model import checkpoints, fingerprint, load
from nearfirst.model.template import encode

SETTINGS = {"max_new_tokens": 12}
STEPS = (0, 10, 20, 30, 40)
RUN = {"dataset": "flan", "arrangement": "tma", "seed": "1"}


def save_checkpoint(base: Path, folder: Path, seed: int) -> None:
    """A checkpoint that is far from uniform and ends an answer every few tokens."""
    torch.manual_seed(seed)
    weights = {
        k: torch.randn_like(v) * 0.1 for k, v in load_file(base / "model.safetensors").items()
    }
    weights["model.embed_tokens.weight"][1] *= 3  # EOS
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


@pytest.fixture(scope="module")
def talks(some_talks: Any, talk: Any) -> list[Any]:
    """Truncation to 64 tokens leaves the second and the last no room for an answer."""
    long = talk("the cat " * 64, "sat")
    few = some_talks(13)
    return [few[0], long, *few[1:], talk("one", "eins", "two", "zwei"), long]


@pytest.fixture(scope="module")
def inputs(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, talks: Any, write_instances: Any
) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_instances(folder / "test.parquet", talks, dataset="flan", test="heldout")
    for step in STEPS:
        save_checkpoint(model_folder, folder / f"checkpoints/step-{step:06d}", step)
    write_run(folder / "checkpoints", RUN)
    return folder


@pytest.fixture(scope="module")
def answer(program: Any, inputs: Path, model_folder: Path) -> Callable[..., Any]:
    """Run the program: `answer(output, batch_size=3)`."""

    def run(output: Path, settings: Any = SETTINGS, check: bool = True, **flags: Any) -> Any:
        flags = {
            **{"model": model_folder, "output": output, "settings": json.dumps(settings)},
            **{"instances": inputs / "test.parquet", "checkpoints": inputs / "checkpoints"},
            **{"seed": 1, "template": '{"max_length":64}'},
            **flags,
        }
        pairs = [(f"--{name.replace('_', '-')}", value) for name, value in flags.items()]
        return program("generate.py", *(part for pair in pairs for part in pair), check=check)

    return run


@pytest.fixture(scope="module")
def expected(
    inputs: Path, model_folder: Path, talks: list[Any], tokenizer: Any
) -> Callable[..., list[str]]:
    """Answer instances with the library: `expected(step, ids)`."""

    def answer(step: int, ids: list[str]) -> list[str]:
        model = load.empty_model(str(model_folder))
        checkpoints.load_weights(model, inputs / f"checkpoints/step-{step:06d}")
        chosen = [talks[int(id_.removeprefix("id-"))] for id_ in ids]
        texts = [item.prompt for item in encode(chosen, tokenizer, 64)]
        options = {"run_seed": 1, "batch_size": 1, "end_tokens": [tokenizer.eos_token_id]}
        answers = generate(model, texts, ids, GenerateSettings(**SETTINGS), step=step, **options)
        return [tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in answers]

    return answer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, answer: Any) -> tuple[Path, list[str]]:
    """The answers of an uninterrupted job, and the lines of its log."""
    output = tmp_path_factory.mktemp("whole") / "0-end.parquet"
    return output, answer(output).stderr.splitlines()


def test_bfloat16_answers_are_those_of_autocast(tmp_path: Path, answer: Any, expected: Any) -> None:
    settings = SETTINGS | {"precision": "bfloat16"}
    answer(tmp_path / "out.parquet", settings, batch_size=1)
    frame = pq.read_table(tmp_path / "out.parquet").to_pandas()
    for step in STEPS[:2]:  # the second one replaces the weights of the first
        rows = frame[frame["step"] == step]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert rows["prediction"].tolist() == expected(step, rows["id"].tolist())


def test_a_row_per_instance_and_checkpoint(whole: Any, talks: list[Any], expected: Any) -> None:
    table = pq.read_table(whole[0])
    assert table.schema.remove_metadata() == ANSWERS
    assert table.schema.metadata[b"left_out"] == b"2"
    assert read_identity(whole[0]) == RUN | {"test": "heldout"}
    kept = [row for row in range(len(talks)) if row not in (1, len(talks) - 1)]
    frame = table.to_pandas()
    assert frame["step"].tolist() == [step for step in STEPS for _ in kept]
    for step, rows in frame.groupby("step"):
        assert rows["id"].tolist() == [f"id-{row}" for row in kept]
        assert rows["task"].tolist() == [f"task-{row % 3}" for row in kept]
        assert rows["prediction"].tolist() == expected(int(step), rows["id"].tolist())
    assert frame["prediction"].nunique() > len(frame) / 2

    first, *lines = whole[1]
    assert first.endswith("14 instances, 2 left out: their prompts are too long")
    unfinished = [int(re.search(r"14 answers, (\d+) unfinished", line)[1]) for line in lines]
    assert len(unfinished) == len(STEPS)
    assert 0 < sum(unfinished) < len(frame)


def test_answers_of_the_mean_do_not_depend_on_segments(
    tmp_path: Path, answer: Any, inputs: Path
) -> None:
    def answers(name: str, **flags: Any) -> Any:
        answer(tmp_path / f"{name}.parquet", **flags)
        return pq.read_table(tmp_path / f"{name}.parquet").to_pandas()

    steps = [inputs / f"checkpoints/step-{step:06d}" for step in STEPS]
    for name, segment in {"first": steps[:3], "rest": steps[3:]}.items():
        (tmp_path / name).mkdir()
        for step in segment:
            (tmp_path / name / step.name).symlink_to(step)
    whole = answers("whole", average=2)
    segments = {"checkpoints": tmp_path / "rest", "before": tmp_path / "first"}
    rest = answers("answers", average=2, **segments)
    assert rest.equals(whole[whole["step"] >= STEPS[3]].reset_index(drop=True))
    assert not whole.equals(answers("single"))


def test_only_parts_made_from_the_same_input_are_reused(
    tmp_path: Path,
    answer: Any,
    talks: list[Any],
    write_instances: Any,
    inputs: Path,
    whole: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "0-end.parquet"
    shutil.copytree(inputs / "checkpoints", tmp_path / "steps")
    # The last checkpoint stops the job, as a full disk or a time limit would.
    cut(tmp_path / "steps/step-000040/model.safetensors")

    def answered(**changes: Any) -> list[int]:
        """The steps that a job answers before the last one stops it."""
        done = answer(output, **{"checkpoints": tmp_path / "steps", "check": False, **changes})
        assert done.returncode == 1
        assert "step-000040/model.safetensors: not a whole checkpoint" in done.stderr
        return [int(step) for step in re.findall(r" step (\d+):", done.stderr)]

    write_instances(tmp_path / "other.parquet", [*talks[:3], talks[0], *talks[4:]])
    for changes in (
        {"settings": SETTINGS | {"seed": 1}},
        {"seed": 2},
        {"instances": tmp_path / "other.parquet"},
        {"template": '{"max_length":65}'},
    ):
        assert answered(**changes) == [0, 10, 20, 30]
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "code", lambda module: [module.name])  # as after an edit
        assert answered(**changes) == [0, 10, 20, 30]
    assert answered() == [0, 10, 20, 30]
    assert answered() == []
    shutil.copytree(inputs / "checkpoints", tmp_path / "steps", dirs_exist_ok=True)
    # Another batch size changes no answer, so the parts are reused.
    done = answer(output, checkpoints=tmp_path / "steps", batch_size=3)
    assert " 4 of 5 parts were made by an earlier job\n" in done.stderr
    assert output.read_bytes() == whole[0].read_bytes()


def test_a_run_that_diverged_is_named(tmp_path: Path, answer: Any, model_folder: Path) -> None:
    weights = load_file(model_folder / "model.safetensors")
    weights["model.norm.weight"][3] = torch.nan  # as a run leaves it that diverged
    folder = tmp_path / "checkpoints/step-000010"
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    flags = {"checkpoints": tmp_path / "checkpoints", "check": False}
    done = answer(tmp_path / "0-end.parquet", **flags)
    assert done.returncode == 1
    assert f"\nerror: {folder}: the logits of id 'id-" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]

"""Tasks of lm-evaluation-harness, against its own results at each checkpoint."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from programs import Program

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.figures.read import read_runs
from nearfirst.harness.settings import HarnessSettings
from nearfirst.harness.tasks import load_tasks

lm_eval: Any = pytest.importorskip("lm_eval")
pytest.importorskip("lm_eval.tasks")

CHOICE = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{folder}/{name}.jsonl"}}}}
output_type: multiple_choice
test_split: test
fewshot_split: test
num_fewshot: {shots}
doc_to_text: "User: {{{{question}}}}\\nAssistant:"
doc_to_target: "{{{{answer}}}}"
doc_to_choice: ["one", "two", "three"]
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""
ANSWERS = """
task: answers
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{folder}/sums.jsonl"}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{['one', 'two', 'three'][answer]}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 4, do_sample: false}}
metric_list: [{{metric: exact_match}}]
filter_list:
  - {{name: whole, filter: [{{function: take_first}}]}}
  - {{name: upper, filter: [{{function: uppercase}}, {{function: take_first}}]}}
"""
STEPS = (0, 5)


@pytest.fixture(scope="module")
def include(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a group of two tasks, and a task that generates answers."""
    folder = tmp_path_factory.mktemp("tasks")
    for name, shots in (("sums", 2), ("words", 0)):
        rows = [{"question": f"{name} {i * 7}?", "answer": i % 3} for i in range(6 + shots)]
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        text = CHOICE.format(name=name, folder=folder, shots=shots)
        (folder / f"{name}.yaml").write_text(text)
    (folder / "both.yaml").write_text("group: both\ntask: [sums, words]\n")
    (folder / "answers.yaml").write_text(ANSWERS.format(folder=folder))
    return folder


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Path:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("run")
    for step in STEPS:
        torch.manual_seed(step)
        model = AutoModelForCausalLM.from_pretrained(model_folder)
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        model.save_pretrained(folder / f"step-{step:06d}")
        AutoTokenizer.from_pretrained(model_folder).save_pretrained(folder / f"step-{step:06d}")
    run = {"dataset": "flan", "arrangement": "random", "seed": "1"}
    (folder / "run.json").write_text(json.dumps(run))
    return folder


@pytest.mark.parametrize(
    ("task", "metrics", "first_filter"),
    [
        ("both", ["acc", "acc_norm"], "none"),
        ("answers", ["exact_match", "exact_match,upper"], "whole"),
    ],
)
def test_means_are_those_of_lm_eval(
    task: str,
    metrics: list[str],
    first_filter: str,
    include: Path,
    checkpoints: Path,
    model_folder: Path,
    program: Program,
    tmp_path: Path,
) -> None:
    output = tmp_path / "table.parquet"
    done = program(
        *("harness.py", "--task", task, "--model", model_folder, "--checkpoints", checkpoints),
        *("--dataset", "flan", "--test", "specialist-0", "--output", output),
        *("--settings", json.dumps({"include": str(include)})),
    )
    assert done.returncode == 0, done.stderr
    identity = {"dataset": "flan", "test": "specialist-0", "arrangement": "random", "seed": "1"}
    assert read_identity(output) == identity
    (run,) = read_runs([output], f"lm_eval:{task}").values()
    assert run.values.index.tolist() == list(STEPS)
    table = pd.read_parquet(output)
    pd.testing.assert_series_equal(
        table[f"lm_eval:{task}"], table[f"lm_eval:{task}:{metrics[0]}"], check_names=False
    )
    tasks = lm_eval.tasks.TaskManager(include_path=include, include_defaults=False)
    for step in STEPS:
        folder = checkpoints / f"step-{step:06d}"
        expected = lm_eval.simple_evaluate(
            *("hf", f"pretrained={folder},dtype=float32", [task]),
            task_manager=tasks,
            device="cpu",
            batch_size=16,
            bootstrap_iters=0,
        )
        for name, rows in table[table["step"] == step].groupby("task"):
            for metric in metrics:
                key = metric if "," in metric else f"{metric},{first_filter}"
                mean = rows[f"lm_eval:{task}:{metric}"].mean()
                np.testing.assert_allclose(mean, expected["results"][name][key], 1e-6)


@pytest.mark.parametrize(
    ("task", "message"),
    [("bth", "has such a task; did you mean 'both'?"), ("broken", "the task cannot be loaded")],
)
def test_a_task_that_cannot_be_used_is_named(
    task: str, message: str, include: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = lm_eval.tasks.TaskManager
    # Listing the thousands of tasks of the package takes seconds.
    monkeypatch.setattr(
        "lm_eval.tasks.TaskManager",
        lambda include_path, **_: manager(include_path=include_path, include_defaults=False),
    )
    (include / "broken.yaml").write_text("task: broken\ndataset_path: json\noutput_type: odd\n")
    with pytest.raises(InputError, match=message):
        load_tasks(task, HarnessSettings(include=str(include)))

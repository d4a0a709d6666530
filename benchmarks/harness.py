"""A task of lm-evaluation-harness at the checkpoints of a run, against a loop of `lm_eval` calls.

Makes Llamas with random weights in the shape of `mini`'s, and a multiple-choice task of
`--documents`. Ours is one process, imports included; the loop is one process for each checkpoint,
of which `--calls` are run, and the fastest stands for all. Both have one thread and must agree on
the accuracy.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from shared import CLOCKS, SCRIPTS, load_before, run, timed

TASK = """
task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{folder}/sums.jsonl"}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "User: {{{{question}}}}\\nAssistant:"
doc_to_target: "{{{{answer}}}}"
doc_to_choice: "{{{{choices}}}}"
metric_list: [{{metric: acc}}]
"""


def make(folder: Path, checkpoints: int, documents: int) -> None:
    """Write `step-*/`, the task and its documents."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from nearfirst.model.settings import PretrainSettings

    generator = random.Random(0)
    rows = []
    for _ in range(documents):
        a, b = generator.randrange(100), generator.randrange(100)
        choices = [str(a + b + d) for d in generator.sample(range(9), 4)]
        rows.append({"question": f"What is {a} + {b}?", "choices": choices, "answer": 0})
    (folder / "tasks").mkdir()
    lines = [json.dumps(row) for row in rows]
    (folder / "sums.jsonl").write_text("\n".join(lines))
    (folder / "tasks/sums.yaml").write_text(TASK.format(folder=folder))
    core = ByteLevelBPETokenizer()
    core.train_from_iterator(lines, special_tokens=["<s>", "</s>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core._tokenizer, bos_token="<s>", eos_token="</s>"
    )
    shape = PretrainSettings()
    config = LlamaConfig(vocab_size=shape.vocabulary, **shape.llama())
    for step in range(checkpoints):
        torch.manual_seed(step)
        checkpoint = folder / f"run/step-{step:06d}"
        LlamaForCausalLM(config).save_pretrained(checkpoint)
        tokenizer.save_pretrained(checkpoint)


def call(folder: Path, checkpoint: Path, accuracies: list[float]) -> None:
    """Append the accuracy that a call of `lm_eval` prints."""
    flags = ["--model", "hf", "--model_args", f"pretrained={checkpoint},dtype=float32"]
    flags += ["--tasks", "sums", "--include_path", str(folder / "tasks"), "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", *flags, "--batch_size", "16"],
        check=True,
        capture_output=True,
        text=True,
    )
    accuracy = re.search(r"\|acc +\|[^|]*\| *([\d.]+)", done.stdout)
    assert accuracy, done.stdout
    accuracies.append(float(accuracy[1]))


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    add = flags.add_argument
    add("--checkpoints", type=int, default=20)
    add("--documents", type=int, default=200)
    add("--calls", type=int, default=2, help="calls of lm_eval that are timed")
    arguments = flags.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HF_HOME"] = str(folder / "cache")
        make(folder, arguments.checkpoints, arguments.documents)
        runs = sorted((folder / "run").iterdir())
        sizes = f"{arguments.checkpoints} checkpoints, {arguments.documents} documents"
        print(f"{sizes}, {load_before()}")
        settings = json.dumps({"include": str(folder / "tasks")})
        output = folder / "table.parquet"
        flags = ("--task", "sums", "--model", runs[0], "--checkpoints", folder / "run")
        ours = run(SCRIPTS / "harness.py", *flags, "--settings", settings, "--output", output)
        table = pq.read_table(output).to_pandas()
        means = table.groupby("step")["lm_eval:sums"].mean()
        times, accuracies = [], []
        for step in range(arguments.calls):
            times.append(timed(partial(call, folder, runs[step], accuracies)))
            assert abs(accuracies[step] - means[step]) < 1e-4, (accuracies, means[step])
        n = arguments.checkpoints
        for clock, mine, theirs in zip(CLOCKS, ours, np.min(times, axis=0), strict=False):
            ratio = n * theirs / mine
            print(f"{clock}: {n} x {theirs:.1f} s against {mine:.1f} s: {ratio:.1f}")


if __name__ == "__main__":
    main()

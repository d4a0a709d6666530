"""An exported pool trains elsewhere, in its order."""

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nearfirst.common.parquet import embeddings_table, write_table

Program = Callable[..., subprocess.CompletedProcess[str]]


def test_a_plain_trainer_sees_the_order(
    program: Program,
    tmp_path: Path,
    model_folder: Path,
    tokenizer: Any,
    write_instances: Any,
    write_arrangement: Any,
    some_talks: Any,
) -> None:
    from transformers import (
        AutoModelForCausalLM,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    ids = write_instances(tmp_path / "I.parquet", some_talks(24))
    order = random.Random(4).sample(ids, 20)
    write_arrangement(tmp_path / "A.parquet", order)
    for name, its in {"E1": ids, "E2": ["a", "b"]}.items():
        vectors = np.random.default_rng(0).normal(size=(len(its), 3)).astype(np.float32)
        write_table(embeddings_table(its, vectors), tmp_path / f"{name}.parquet")
    files = {"arrangement": "A", "instances": "I", "train": "E1", "test": "E2", "parquet": "mine"}
    flags = [f"--{flag}={tmp_path / name}.parquet" for flag, name in files.items()]
    done = program("export.py", *flags, "--jsonl", tmp_path / "mine.jsonl")
    assert done.returncode == 0, done.stderr

    rows = [json.loads(line) for line in (tmp_path / "mine.jsonl").open(encoding="utf-8")]
    texts = ["\n".join(turn["content"] for turn in row["messages"]) for row in rows]
    seen: list[str] = []
    steps: list[list[str]] = []

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            steps.append(seen.copy())
            seen.clear()

    def note(_: Any, __: Any, given: dict[str, Any]) -> None:
        seen.extend(tokenizer.batch_decode(given["input_ids"], skip_special_tokens=True))

    tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    model.register_forward_pre_hook(note, with_kwargs=True)
    encoded = [tokenizer(text)["input_ids"] for text in texts]
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(tmp_path / "trained"),
            train_sampling_strategy="sequential",
            per_device_train_batch_size=2,
            gradient_accumulation_steps=2,
            num_train_epochs=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=[{"input_ids": its, "labels": its} for its in encoded],
        data_collator=DataCollatorForSeq2Seq(tokenizer),
        callbacks=[Watch()],
    )
    trainer.train()
    assert steps == [texts[start : start + 4] for start in range(0, 20, 4)]
    numbers = [ids.index(id_) for id_ in order]
    assert [int(text.partition(":")[0]) for step in steps for text in step] == numbers

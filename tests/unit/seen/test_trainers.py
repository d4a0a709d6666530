"""Which settings of other trainers keep the order of an exported pool."""

import json
import random
import re
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nearfirst.seen.order import Order, check_order

WORDS = re.findall(r"\w+", "cat sat on a mat and ate nine green apples while the brown fox ran up")

Train = Callable[..., Order]

COMMON = {
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 2,
    "max_steps": 9,  # more than a pass of 22 rows, whose last step is not whole
    "logging_strategy": "no",
    "report_to": "none",
    "use_cpu": True,
    "disable_tqdm": True,
}
IN_ORDER = {"train_sampling_strategy": "sequential"}
PACKED = {"packing": True, "max_length": 120}


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A pool of 22 rows of unequal lengths."""
    generator = random.Random(0)

    def text(low: int, high: int) -> str:
        return " ".join(generator.choices(WORDS, k=generator.randint(low, high)))

    rows = [{"prompt": text(4, 9), "completion": text(5, 20)} for _ in range(22)]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def log(tmp_path: Path, tokenizer: Any) -> Any:
    from nearfirst.seen.log import LogSeen

    tokenizer.pad_token = tokenizer.eos_token
    return LogSeen(tmp_path / "seen", tokenizer)


def rows_of(pool: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in pool.open()]


@pytest.fixture
def plain(pool: Path, log: Any, tmp_path: Path, model_folder: Path) -> Train:
    """Train with `transformers.Trainer`, and compare."""
    from transformers import (
        AutoModelForCausalLM,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainingArguments,
    )

    def train(resume: Path | None = None, **settings: Any) -> Order:
        texts = [f"{row['prompt']}\nAnswer: {row['completion']}" for row in rows_of(pool)]
        encoded = [log.tokenizer(text)["input_ids"] for text in texts]
        trainer = Trainer(
            model=AutoModelForCausalLM.from_pretrained(model_folder),
            args=TrainingArguments(str(tmp_path / "out"), **{**COMMON, **settings}),
            train_dataset=[{"input_ids": ids, "labels": ids} for ids in encoded],
            data_collator=DataCollatorForSeq2Seq(log.tokenizer),
            callbacks=[log],
        )
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        return check_order(pool, log.folder)

    return train


def test_a_trainer_shuffles_unless_told_otherwise(plain: Train) -> None:
    assert plain().deviation
    order = plain(**IN_ORDER)
    assert str(order).startswith("in order\n34 rows in 34 sequences and 9 steps"), order
    # Grouping by length loses the order whatever the seed.
    assert plain(train_sampling_strategy="group_by_length").deviation


def test_a_resumed_trainer_continues_where_it_was(plain: Train, tmp_path: Path) -> None:
    saving = {"save_strategy": "steps", "save_steps": 2, "max_steps": 5}
    plain(**IN_ORDER, **saving)
    state = tmp_path / "out/checkpoint-4"
    order = plain(state, **IN_ORDER, max_steps=6)
    assert str(order).startswith("in order\n22 rows in 22 sequences and 6 steps"), order
    order = plain(state, **IN_ORDER, max_steps=6, ignore_data_skip=True)
    assert "step 5 row 17 (id '17') was due, but row 1 (id '1') was seen" in str(order)


@pytest.fixture
def sft(pool: Path, log: Any, tmp_path: Path, model_folder: Path) -> Train:
    """Train with TRL, and compare."""
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")

    def train(**settings: Any) -> Order:
        trainer = trl.SFTTrainer(
            model=str(model_folder),
            args=trl.SFTConfig(str(tmp_path / "out"), **{**COMMON, **settings}),
            train_dataset=datasets.Dataset.from_list(rows_of(pool)),
            processing_class=log.tokenizer,
            callbacks=[log],
        )
        trainer.train()
        return check_order(pool, log.folder)

    return train


@pytest.fixture
def llamafactory(
    pool: Path, log: Any, tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Train:
    """Train with LLaMA-Factory, and compare."""
    pytest.importorskip("llamafactory", exc_type=ModuleNotFoundError)
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")  # of transformers, newer than it knows
    # It imports torchaudio, which is not needed here.
    torchaudio = ModuleType("torchaudio")
    torchaudio.__spec__ = ModuleSpec("torchaudio", None)
    monkeypatch.setitem(sys.modules, "torchaudio", torchaudio)
    from llamafactory.train.tuner import run_exp

    columns = {"prompt": "prompt", "response": "completion"}
    info = {"pool": {"file_name": pool.name, "columns": columns}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))

    def train(**settings: Any) -> Order:
        arguments = {
            **{"stage": "sft", "do_train": True, "finetuning_type": "full", "template": "empty"},
            **{"model_name_or_path": str(model_folder), "output_dir": str(tmp_path / "out")},
            **{"dataset": "pool", "dataset_dir": str(tmp_path), "save_strategy": "no"},
            "disable_gradient_checkpointing": True,
        }
        run_exp({**arguments, **COMMON, **settings}, callbacks=[log])
        return check_order(pool, log.folder)

    return train


@pytest.mark.parametrize(
    ("trainer", "settings", "kept"),
    [
        ("sft", {}, False),
        ("sft", {**IN_ORDER, "max_length": 30}, True),
        ("sft", {**IN_ORDER, "padding_free": True, "max_length": None}, True),
        ("sft", {**IN_ORDER, "shuffle_dataset": True}, False),
        ("sft", {**IN_ORDER, **PACKED}, False),
        ("sft", {**IN_ORDER, **PACKED, "packing_strategy": "wrapped"}, True),
        ("llamafactory", {}, False),
        ("llamafactory", {"disable_shuffling": True}, True),
        ("llamafactory", {**IN_ORDER, "cutoff_len": 30}, True),
        ("llamafactory", {"disable_shuffling": True, "packing": True, "cutoff_len": 120}, False),
    ],
    ids=str,
)
def test_which_settings_keep_the_order(
    request: pytest.FixtureRequest, trainer: str, settings: dict[str, Any], kept: bool
) -> None:
    order = request.getfixturevalue(trainer)(**settings)
    assert (order.deviation is None) == kept, order

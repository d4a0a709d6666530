"""Train a small reward model on preference pairs (Bradley and Terry)."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaForCausalLM, Trainer, TrainingArguments, set_seed

from nearfirst.common.errors import InputError
from nearfirst.model.device import deterministic, device
from nearfirst.model.load import load_model, load_tokenizer
from nearfirst.model.trainer_log import log_progress
from nearfirst.reward.exchanges import Ids, encode
from nearfirst.reward.model import LlamaRewardModel
from nearfirst.reward.score import rewards
from nearfirst.reward.settings import RewardTextSettings, RewardTrainingSettings

BATCH_TOKENS = 4096
"""Tokens in a forward pass when measuring the accuracy."""


def bradley_terry(chosen: torch.Tensor, rejected: torch.Tensor) -> torch.Tensor:
    """Return the mean of −log σ(r_chosen − r_rejected), in nats; both are (n,)."""
    return -torch.nn.functional.logsigmoid(chosen - rejected).mean()


def fork(chosen: Ids, rejected: Ids) -> dict[str, Any]:
    """Merge a pair of texts into one sequence, so that their common prompt is read once.

    Returns
    -------
    `input_ids`, the chosen text followed by the rejected one from where they differ; `common`, the
    length of their common prefix; `ends`, the positions of the last token of each.
    """
    shortest = min(len(chosen), len(rejected))
    differences = np.flatnonzero(chosen[:shortest] != rejected[:shortest])
    common = int(differences[0]) if len(differences) else shortest
    ids = np.concatenate([chosen, rejected[common:]])
    # A rejected text that is a prefix of the chosen one ends in the common part.
    end = len(ids) - 1 if len(rejected) > common else common - 1
    # The Trainer takes the length of a sequence from `input_ids`.
    return {"input_ids": ids, "common": common, "ends": (len(chosen) - 1, end)}


def collate(items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """Pad B forked pairs on the right, to W tokens.

    Returns
    -------
    `input_ids` and `position_ids`, (B, W); `attention_mask`, (B, 1, W, W), true where a position
    (row) attends to another, itself or earlier in the same text; and `ends`, (B, 2).
    """
    sequences = [torch.from_numpy(item["input_ids"]) for item in items]
    ids = pad_sequence(sequences, batch_first=True)
    width = ids.shape[1]
    positions = torch.arange(width).repeat(len(items), 1)
    mask = torch.ones((width, width), dtype=torch.bool).tril().repeat(len(items), 1, 1, 1)
    for row, item in enumerate(items):
        common, start = item["common"], item["ends"][0] + 1
        positions[row, start:] -= start - common
        mask[row, 0, start:, common:start] = False
    ends = torch.tensor([item["ends"] for item in items])
    return {"input_ids": ids, "position_ids": positions, "attention_mask": mask, "ends": ends}


def rewards_of_pairs(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the rewards, (B, 2), of the chosen and the rejected texts of a batch of `collate`."""
    inputs = {name: tensor for name, tensor in batch.items() if name != "ends"}
    hidden = model.model(**inputs, use_cache=False).last_hidden_state
    rows = torch.arange(len(hidden), device=hidden.device)[:, None]
    scores: torch.Tensor = model.regression_head(hidden[rows, batch["ends"]])[..., 0]
    return scores


class RewardTrainer(Trainer):  # type: ignore[misc]
    """A Trainer with the Bradley–Terry loss over batches of `collate`."""

    def compute_loss(self, model: Any, inputs: Any, **_: Any) -> torch.Tensor:
        """Return the mean loss of the pairs."""
        return bradley_terry(*rewards_of_pairs(model, inputs).unbind(dim=1))


def from_base(name: str, seed: int) -> tuple[LlamaRewardModel, Any]:
    """Return a reward model with the weights of a base Llama and a seeded head, and its tokenizer.

    The tokenizer adds BOS, like UltraRM's. Raises InputError if the base cannot be loaded or is not
    a Llama.
    """
    base = load_model(name)
    if not isinstance(base, LlamaForCausalLM):
        raise InputError(
            f"{name}: {type(base).__name__} is not a Llama, so the reward model cannot start from "
            "its weights; give a base of model_type llama, or name a reward model in reward.name"
        )
    tokenizer = load_tokenizer(name)
    tokenizer.add_bos_token = True
    set_seed(seed)
    model = LlamaRewardModel(base.config)
    model.model.load_state_dict(base.model.state_dict())
    return model, tokenizer


def train(
    pairs: pd.DataFrame,
    base: str,
    settings: RewardTrainingSettings,
    text: RewardTextSettings,
    folder: Path,
) -> pd.DataFrame:
    """Train the Llama `base` on the pairs that are not held out; save model and tokenizer.

    `load_reward_model` reads the folder, which has the layout in which UltraRM is published.

    Raises InputError if the base is not a Llama.

    Returns
    -------
    The `accuracy_table` of the held-out pairs, and of as many training pairs drawn by the seed.
    """
    is_held_out = pairs["held_out"].to_numpy(bool)
    training, held_out = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
    torch.set_num_threads(settings.threads)
    model, tokenizer = from_base(base, settings.seed)
    chosen, rejected = (
        encode(list(zip(pairs["instruction"], pairs[side], strict=True)), text, model, tokenizer)
        for side in ("chosen", "rejected")
    )
    _fit(model, [fork(chosen[row], rejected[row]) for row in training], settings, folder)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    drawn = np.random.default_rng(settings.seed).permutation(training)[: len(held_out)]
    measured = np.concatenate([drawn, held_out])
    model = model.to(device()).eval()
    r_chosen, r_rejected = (
        rewards(model, [side[row] for row in measured], BATCH_TOKENS) for side in (chosen, rejected)
    )
    return accuracy_table(pairs.iloc[measured], r_chosen - r_rejected)


def accuracy_table(pairs: pd.DataFrame, margins: npt.NDArray[np.float32]) -> pd.DataFrame:
    """Measure how often the chosen answer has the higher reward.

    `pairs` has n rows of `PREFERENCES`, `margins` their (n,) r_chosen − r_rejected; a tie counts
    half.

    Returns
    -------
    Columns split (training, held-out), group (all, a data set or a corruption), accuracy, n.
    """
    won = pairs.assign(all="all", won=(np.sign(margins.astype(np.float64)) + 1) / 2)
    parts = []
    for split, held_out in (("training", False), ("held-out", True)):
        for column in ("all", "dataset", "corruption"):
            groups = won[won["held_out"] == held_out].groupby(column)["won"]
            table = groups.agg(accuracy="mean", n="size").rename_axis("group").reset_index()
            table.insert(0, "split", split)
            parts.append(table)
    return pd.concat(parts, ignore_index=True)


def _fit(
    model: LlamaRewardModel,
    pairs: list[dict[str, Any]],
    settings: RewardTrainingSettings,
    folder: Path,
) -> None:
    on_gpu = device().type == "cuda"
    trainer = RewardTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=settings.warmup_steps,
            train_sampling_strategy="group_by_length",
            logging_steps=20,
            disable_tqdm=True,
            save_strategy="no",
            report_to="none",
            remove_unused_columns=False,
            seed=settings.seed,
            use_cpu=not on_gpu,
            dataloader_pin_memory=on_gpu,
        ),
        train_dataset=pairs,
        data_collator=collate,
    )
    log_progress(trainer, math.ceil(len(pairs) / settings.batch_size) * settings.epochs)
    with deterministic():
        trainer.train()

"""A small base model from scratch: byte-level BPE and a Llama, on raw text."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    set_seed,
)

from nearfirst.common.errors import InputError
from nearfirst.model.settings import PretrainSettings
from nearfirst.model.trainer_log import log_progress

BOS, EOS = "<s>", "</s>"


def train_tokenizer(documents: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer; it covers any text, seen or not."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(documents, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token=BOS, eos_token=EOS)


class Blocks(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Documents packed as `<s> document </s>` into sequences of equal length."""

    def __init__(self, documents: Sequence[str], tokenizer: Any, block: int) -> None:
        stream: list[int] = []
        for ids in tokenizer(list(documents), add_special_tokens=False)["input_ids"]:
            stream += [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
        count = len(stream) // block
        if not count:
            raise InputError(
                f"model.text.documents: {len(stream)} tokens of text do not fill one block of "
                f"{block}; generate more documents"
            )
        self.tokens = torch.from_numpy(
            np.array(stream[: count * block], dtype=np.int64).reshape(count, block)
        )

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.tokens[index], "labels": self.tokens[index]}


def pretrain(documents: Sequence[str], settings: PretrainSettings, folder: Path) -> dict[str, Any]:
    """Train tokenizer and model and save both as one `save_pretrained` folder.

    The text teaches skills, not the tasks' instruction format; it holds a little small talk in the
    chat template, and every document ends in EOS, so that no token of the template is untrained.

    Returns
    -------
    What was trained: parameters, tokens of text, tokens seen, last loss.
    """
    torch.set_num_threads(settings.threads)
    set_seed(settings.seed)
    tokenizer = train_tokenizer(documents, settings.vocabulary)
    blocks = Blocks(documents, tokenizer, settings.block)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.hidden_size,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=settings.intermediate_size,
            max_position_embeddings=settings.positions,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            tie_word_embeddings=True,
        )
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            max_steps=settings.steps,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=settings.warmup_steps,
            weight_decay=settings.weight_decay,
            adam_beta2=0.95,
            logging_steps=50,
            disable_tqdm=True,
            save_strategy="no",
            report_to="none",
            seed=settings.seed,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
        ),
        train_dataset=blocks,
    )
    log_progress(trainer, settings.steps)
    outcome = trainer.train()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "parameters": model.num_parameters(),
        "text_tokens": blocks.tokens.numel(),
        "tokens_seen": outcome.global_step * settings.batch_size * settings.block,
        "last_loss": losses[-1] if losses else outcome.training_loss,
    }

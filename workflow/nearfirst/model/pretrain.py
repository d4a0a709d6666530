"""A small base model from scratch: byte-level BPE and a Llama, on raw text."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

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
from nearfirst.model.device import deterministic, device
from nearfirst.model.settings import PretrainSettings
from nearfirst.model.trainer_log import log_progress

BOS, EOS = "<s>", "</s>"


def train_tokenizer(documents: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer, which can encode any text."""
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


def pack(documents: Sequence[str], tokenizer: Any, block: int) -> torch.Tensor:
    """Return documents as `<s> document </s>`, packed into (n, block) token ids.

    Raises InputError if the documents do not fill one block.
    """
    stream: list[int] = []
    for ids in tokenizer(list(documents), add_special_tokens=False)["input_ids"]:
        stream += [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    count = len(stream) // block
    if not count:
        raise InputError(
            f"model.text.documents: {len(stream)} tokens of text do not fill one block of "
            f"{block}; generate more documents"
        )
    return torch.tensor(stream[: count * block]).reshape(count, block)


def pretrain(documents: Sequence[str], settings: PretrainSettings, folder: Path) -> None:
    """Train a tokenizer and a model, and save both to one `save_pretrained` folder.

    The text teaches skills, not the format of the tasks. It includes small talk in the chat
    template, and every document ends in EOS, so that no token of the template is untrained. Raises
    InputError if there is too little text.
    """
    torch.set_num_threads(settings.threads)
    set_seed(settings.seed)
    tokenizer = train_tokenizer(documents, settings.vocabulary)
    blocks = pack(documents, tokenizer, settings.block)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **settings.llama(),
        )
    )
    logging.info(
        "%d parameters, %d tokens of text, %d steps of %d tokens",
        *(model.num_parameters(), blocks.numel()),
        *(settings.steps, settings.batch_size * settings.block),
    )
    on_gpu = device().type == "cuda"
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
            use_cpu=not on_gpu,
            dataloader_pin_memory=on_gpu,
        ),
        train_dataset=[{"input_ids": block, "labels": block} for block in blocks],
    )
    log_progress(trainer, settings.steps)
    with deterministic():
        trainer.train()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

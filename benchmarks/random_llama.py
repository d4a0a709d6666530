"""Llamas of real sizes with random weights, and random instances as long as real ones."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from nearfirst.hardware import TrainHardware
from nearfirst.model.logits import pad
from nearfirst.model.template import IGNORED, Tokens
from nearfirst.train.batches import Steps
from nearfirst.train.segment import train_segment
from nearfirst.train.settings import TrainSettings

SHAPES: dict[str, dict[str, Any]] = {
    "SmolLM2-135M": {
        **{"vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536},
        **{"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3},
        "tie_word_embeddings": True,
    },
    "Llama-3.2-1B": {
        **{"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192},
        **{"num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8},
        "tie_word_embeddings": True,
    },
    "LLaMA-2-7B": {
        **{"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008},
        **{"num_hidden_layers": 32, "num_attention_heads": 32},
    },
}
# Tokens of 39,922 instances of real instruction data (GPTeacher, GSM8K, Alpaca's seeds, OpenAI
# Evals) in the paper's template, by the tokenizer of SmolLM2, at these percentiles; and the deciles
# of the share that is the answer. The two hardly depend on each other (correlation -0.08).
PERCENTILES = [0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.9, 100]
LENGTHS = [23, 47, 61, 84, 100, 119, 141, 165, 199, 251, 361, 508, 747, 901, 1889, 3265]
ANSWER_SHARES = [0.001, 0.016, 0.027, 0.039, 0.06, 0.122, 0.208, 0.314, 0.601, 0.692, 0.949]


def instances(count: int, vocabulary: int, max_length: int, seed: int = 0) -> list[Tokens]:
    """Return instances of random ids with the frequencies of words, so that training can learn."""
    generator = np.random.default_rng(seed)
    lengths = np.interp(100 * generator.random(count), PERCENTILES, LENGTHS)
    deciles = np.linspace(0, 1, len(ANSWER_SHARES))
    shares = np.interp(generator.random(count), deciles, ANSWER_SHARES)
    tokens = []
    for length, share in zip(lengths.astype(int), shares, strict=True):
        ids = generator.zipf(1.3, min(length, max_length)) % vocabulary
        answer = max(1, int(share * len(ids)))
        tokens.append(Tokens(ids, np.where(np.arange(len(ids)) < len(ids) - answer, IGNORED, ids)))
    return tokens


def llama(shape: dict[str, Any]) -> LlamaForCausalLM:
    """Return a model on the current default device (`torch.device` as a context)."""
    return LlamaForCausalLM(LlamaConfig(**shape))


def empty_tokenizer() -> Any:
    """Return a tokenizer to save with a model of random weights."""
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(BPE()))


def train_bare(model: Any, steps: Sequence[Sequence[Sequence[Tokens]]]) -> None:
    """Train without a Trainer: padded passes with all logits, clipping, and Adam at each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95))
    for step in steps:
        labels = sum(item.label_tokens for pass_ in step for item in pass_)
        for pass_ in step:
            batch = pad(pass_)
            logits = model(input_ids=batch["input_ids"], use_cache=False).logits[:, :-1]
            targets = batch["labels"][:, 1:]
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), targets.flatten(), reduction="sum"
            )
            (loss / labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


def train_once(model: Any, tokenizer: Any, steps: Steps, settings: TrainSettings) -> None:
    """Train a run in a temporary folder; save the first and last checkpoint and a state."""
    with tempfile.TemporaryDirectory() as folder:
        train_segment(
            model,
            tokenizer,
            steps,
            settings,
            TrainHardware(),
            stop=len(steps),
            before=None,
            work=Path(folder) / "work",
            run="benchmark",
        )

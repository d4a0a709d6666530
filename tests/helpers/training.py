"""Training in the process of the test, and its outputs."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from nearfirst.hardware import TrainHardware
from nearfirst.model import adapter, load
from nearfirst.model.template import IGNORED, Tokens
from nearfirst.model.tracking import NOT_TRACKED, Tracking
from nearfirst.train import resume, segment
from nearfirst.train.batches import run_steps
from nearfirst.train.settings import TrainSettings

Weights = dict[str, torch.Tensor]


def train(
    model: Path,
    tokens: Sequence[Tokens],
    settings: TrainSettings,
    work: Path,
    *,
    stop: int | None = None,
    before: Path | None = None,
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
    tracking: Tracking = NOT_TRACKED,
    **hardware: int,
) -> tuple[Path, Path]:
    """Train a segment, by default a whole run; return the folders of checkpoints and state."""
    handler = signal.getsignal(signal.SIGTERM)
    torch.set_num_threads(1)
    steps = run_steps(tokens, settings, seed)
    base = load.load_model(str(model)).to(dtype)
    if settings.adapter:
        adapter.add_adapter(base, settings.adapter)
    try:
        return segment.train_segment(
            base,
            tokenizer_of(model),
            steps,
            settings,
            TrainHardware(**hardware),
            stop=stop or len(steps),
            before=before,
            work=work,
            run=resume.run_fingerprint(settings, steps, [str(model)], sharded=False),
            tracking=tracking,
        )
    finally:
        signal.signal(signal.SIGTERM, handler)


def tokenizer_of(model: Path) -> Any:
    """Return the tokenizer of a folder; an empty one if there is none."""
    if (model / "tokenizer.json").is_file():
        return load.load_tokenizer(str(model))
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(BPE()))


def weights(checkpoints: Path, step: int) -> Weights:
    """Return the weights of a step's checkpoint."""
    return load_file(checkpoints / f"step-{step:06d}/model.safetensors")


def difference(a: Weights, b: Weights) -> float:
    """Return the largest difference of two sets of weights with the same names."""
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def alternate_lengths(chats: Sequence[Any]) -> None:
    """Make the answers of conversations long and short in turn, two at a time."""
    for i, chat in enumerate(chats):
        chat[1]["content"] = " ".join([chat[1]["content"]] * 6) if i // 2 % 2 else "no"


def plain_losses(model: Any, tokens: Sequence[Tokens]) -> list[float]:
    """Return the model's mean loss over the labels of each instance, one by one."""
    result = []
    for item in tokens:
        ids, labels = torch.from_numpy(item.ids)[None], torch.from_numpy(item.labels)[None]
        with torch.no_grad():
            output = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels)
        result.append(output.loss.item())
    return result


def labelled_texts(tokens: Tokens, tokenizer: Any) -> list[str]:
    """Return the texts of the contiguous labels: the answers with their end tokens."""
    texts, run = [], []
    for id_ in [*tokens.labels.tolist(), IGNORED]:
        if id_ != IGNORED:
            run.append(id_)
        elif run:
            texts.append(tokenizer.decode(run, clean_up_tokenization_spaces=False))
            run = []
    return texts

"""Reward models: UltraRM's architecture, and sequence classifiers with one label."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
    LlamaModel,
    LlamaPreTrainedModel,
)
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging as transformers_logging

from nearfirst.common.errors import InputError
from nearfirst.model.device import device
from nearfirst.model.load import load_config
from nearfirst.model.load_errors import DAMAGED, lacking, reason

transformers_logging.disable_progress_bar()

HEAD = "regression_head.weight"

ACCEPTED = (
    "a LlamaRewardModel (model_type llama, with regression_head.weight) or a "
    "...ForSequenceClassification with one label"
)


class LlamaRewardModel(LlamaPreTrainedModel):  # type: ignore[misc]
    """A Llama with a linear head without bias; the reward is its output at the last real token.

    The architecture of UltraRM-13B, with its tensor names: `model.*` and `regression_head.weight`.
    """

    config_class = LlamaConfig

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__(config)
        self.model = LlamaModel(config)
        self.regression_head = nn.Linear(config.hidden_size, 1, bias=False)
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any
    ) -> SequenceClassifierOutput:
        """Return the rewards as `logits`, (n, 1), like a sequence classifier with one label.

        `input_ids` and `attention_mask`, 1 at real tokens, are (n, tokens).
        """
        hidden = self.model(
            input_ids, attention_mask=attention_mask, use_cache=False
        ).last_hidden_state
        positions = torch.arange(hidden.shape[1], device=hidden.device)
        last = (positions * attention_mask).argmax(dim=1)
        rows = torch.arange(len(hidden), device=hidden.device)
        return SequenceClassifierOutput(logits=self.regression_head(hidden[rows, last]))


def load_reward_model(name: str, dtype: torch.dtype = torch.float32) -> tuple[Any, Any]:
    """Load a reward model by Hugging Face id or folder. Code that comes with it is never run.

    Raises InputError if it cannot be loaded or is no reward model, if a tensor (its head, say) is
    missing, is not part of the model or has another shape, or if a file is damaged.

    Returns
    -------
    model, tokenizer
        The model, in evaluation mode on the first GPU or the CPU, takes `input_ids` and
        `attention_mask` and returns `logits` of shape (n, 1), the rewards.
    """
    model_class, tokenizer = check_reward_model(name)
    try:
        model, info = model_class.from_pretrained(
            name,
            trust_remote_code=False,
            dtype=dtype,
            ignore_mismatched_sizes=True,  # `_check_tensors` names them
            output_loading_info=True,
        )
    except DAMAGED as error:
        raise _damaged(next(_damaged_files(Path(name)), name), "weights", error) from None
    _check_tensors(name, info)
    model = model.to(device()).eval()
    _exclude_head_from_autocast(model)
    return model, tokenizer


def check_reward_model(name: str) -> tuple[Any, Any]:
    """Return the class that loads a reward model, and its tokenizer; no weights are read.

    Takes seconds, so faults show before the answers to be scored are generated. Raises InputError
    if config or tokenizer cannot be loaded, or it is no reward model.
    """
    try:
        config = load_config(name)
    except DAMAGED as error:
        may_be_id = name.count("/") <= 1 or Path(name).exists()
        why = reason(error) if may_be_id else "no such folder"
        raise InputError(
            f"reward.name: {name!r} cannot be loaded ({why}); give a Hugging Face id that this "
            "machine can reach, or the folder of a downloaded reward model"
        ) from None
    model_class = _model_class(name, config)
    stored = _tensors_in_index(Path(name))
    if model_class is LlamaRewardModel and stored and HEAD not in stored:
        raise _no_head(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except DAMAGED as error:
        if why_not := lacking(name):
            raise InputError(f"{name}: {why_not}") from None
        raise _damaged(name, "tokenizer", error) from None
    return model_class, tokenizer


def _model_class(name: str, config: Any) -> Any:
    architecture = (config.architectures or [""])[0]
    if architecture.endswith("ForSequenceClassification"):
        if config.num_labels != 1:
            raise InputError(
                f"{name}: {architecture} with {config.num_labels} labels; a reward model has one "
                "label (num_labels 1 in config.json)"
            )
        return AutoModelForSequenceClassification
    if config.model_type == "llama":
        return LlamaRewardModel
    raise InputError(
        f"{name}: {architecture or 'a model'} of type {config.model_type} is not a reward model; "
        f"expected {ACCEPTED}"
    )


def _tensors_in_index(folder: Path) -> set[str]:
    """Return the tensor names in the index of a folder's shards; empty without an index."""
    names: set[str] = set()
    for path in folder.glob("*.index.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # reported when weights are loaded
            names |= set(json.loads(path.read_text())["weight_map"])
    return names


def _no_head(name: str) -> InputError:
    return InputError(
        f"{name}: tensor '{HEAD}' is missing: this is a language model without a reward head; "
        f"expected {ACCEPTED}"
    )


def _damaged(path: Path | str, what: str, error: Exception) -> InputError:
    return InputError(
        f"{path}: the {what} cannot be loaded ({type(error).__name__}: {reason(error)}); download "
        "or make them again"
    )


def _damaged_files(folder: Path) -> Iterator[Path]:
    """Yield the weight files of a folder that cannot be opened."""
    for path in sorted([*folder.glob("model*.safetensors"), *folder.glob("pytorch_model*.bin")]):
        try:
            if path.suffix == ".safetensors":
                with safe_open(path, framework="pt"):
                    pass
            else:
                torch.load(path, map_location="meta", weights_only=True)
        except DAMAGED:
            yield path


def _check_tensors(name: str, info: dict[str, Any]) -> None:
    """Raise InputError unless files and model have the same tensors, of the same shapes."""
    missing, unexpected = set(info["missing_keys"]), set(info["unexpected_keys"])
    if HEAD in missing:
        raise _no_head(name)
    advice = "take weights and config.json from the same model"
    for tensors, problem in ((missing, "is missing"), (unexpected, "is not part of such a model")):
        if tensors:
            more = f" (and {len(tensors) - 1} more)" if len(tensors) > 1 else ""
            raise InputError(f"{name}: tensor '{min(tensors)}'{more} {problem}; {advice}")
    # The head first: a mismatch there says more than one in the layers.
    mismatched = sorted(info["mismatched_keys"], key=lambda item: (item[0] != HEAD, item[0]))
    for tensor, stored, expected in mismatched[:1]:
        raise InputError(
            f"{name}: tensor '{tensor}' has shape {list(stored)}, but by config.json "
            f"{list(expected)}; {advice}"
        )


def _exclude_head_from_autocast(model: Any) -> None:
    """Compute the head in its weights' precision: in bfloat16 a reward would have three digits."""
    for head in model.modules():
        if isinstance(head, nn.Linear) and head.out_features == 1:
            head.register_forward_pre_hook(lambda head, args: (args[0].to(head.weight.dtype),))
            no_autocast = torch.autocast(model.device.type, enabled=False)
            head.forward = no_autocast(head.forward)  # type: ignore[method-assign]

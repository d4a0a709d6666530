"""Reward models: UltraRM's architecture, and sequence classifiers with one label."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
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
from nearfirst.model.load import load_config, misfit
from nearfirst.model.load_errors import DAMAGED, reason

transformers_logging.disable_progress_bar()


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

    Raises InputError if it cannot be loaded or is no reward model, or if a tensor (its head, say)
    is missing, is not part of the model or has another shape.

    Returns
    -------
    model, tokenizer
        The model, in evaluation mode on the first GPU or the CPU, takes `input_ids` and
        `attention_mask` and returns `logits` of shape (n, 1), the rewards.
    """
    model_class, tokenizer = check_reward_model(name)
    with _refused(name):
        model, info = model_class.from_pretrained(
            name,
            trust_remote_code=False,
            dtype=dtype,
            ignore_mismatched_sizes=True,  # `misfit` names them
            output_loading_info=True,
        )
        if fault := misfit(model, info):
            raise ValueError(fault)
        if unexpected := info["unexpected_keys"]:
            raise ValueError(f"tensor {min(unexpected)} is not part of such a model")
    model = model.to(device()).eval()
    _exclude_head_from_autocast(model)
    return model, tokenizer


def check_reward_model(name: str) -> tuple[Any, Any]:
    """Return the class that loads a reward model, and its tokenizer; no weights are read.

    Takes seconds, so faults show before the answers to be scored are generated. Raises InputError
    if config or tokenizer cannot be loaded, or it is no reward model.
    """
    with _refused(name):
        model_class = _model_class(load_config(name))
        return model_class, AutoTokenizer.from_pretrained(name, trust_remote_code=False)


def _model_class(config: Any) -> Any:
    architecture = (config.architectures or [""])[0]
    if architecture.endswith("ForSequenceClassification"):
        if config.num_labels != 1:
            raise ValueError(f"{architecture} with {config.num_labels} labels")
        return AutoModelForSequenceClassification
    if config.model_type == "llama" and architecture != "LlamaForCausalLM":
        return LlamaRewardModel
    raise ValueError(f"{architecture or 'a model'} of type {config.model_type} has no reward head")


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Say which model cannot be loaded, why, and what to give instead."""
    try:
        yield
    except DAMAGED as error:
        raise InputError(
            f"reward.name: {name!r} cannot be loaded ({reason(error, name)}); give the Hugging "
            "Face id or the folder of a LlamaRewardModel (model_type llama, with "
            "regression_head.weight) or of a ...ForSequenceClassification with one label"
        ) from None


def _exclude_head_from_autocast(model: Any) -> None:
    """Compute the head in its weights' precision: in bfloat16 a reward would have three digits."""
    for head in model.modules():
        if isinstance(head, nn.Linear) and head.out_features == 1:
            head.register_forward_pre_hook(lambda head, args: (args[0].to(head.weight.dtype),))
            no_autocast = torch.autocast(model.device.type, enabled=False)
            head.forward = no_autocast(head.forward)  # type: ignore[method-assign]

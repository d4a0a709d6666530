"""Reward models: UltraRM's form, and sequence classifiers with one label."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

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
from nearfirst.model.load import device, load_config
from nearfirst.model.load_errors import DAMAGED, reason

# Bars are for a screen; in a log they are noise.
transformers_logging.disable_progress_bar()

T = TypeVar("T")

HEAD = "regression_head.weight"

ACCEPTED = (
    "a LlamaRewardModel (model_type llama, with regression_head.weight) or a "
    "...ForSequenceClassification with one label"
)


class LlamaRewardModel(LlamaPreTrainedModel):  # type: ignore[misc]
    """A Llama with a linear head without bias; the reward is its value at the last real token.

    That is the form of UltraRM-13B, and its weights go by the same names: `model.*` and
    `regression_head.weight`.
    """

    config_class = LlamaConfig

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__(config)
        self.model = LlamaModel(config)
        self.regression_head = nn.Linear(config.hidden_size, 1, bias=False)
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> SequenceClassifierOutput:
        """Return the rewards as `logits`, (n, 1), as a sequence classifier with one label does.

        Parameters
        ----------
        input_ids
            (n, tokens) ids.
        attention_mask
            (n, tokens), 1 at real tokens; without it all are.
        """
        hidden = self.model(
            input_ids, attention_mask=attention_mask, use_cache=False
        ).last_hidden_state
        if attention_mask is None:
            last = torch.full((len(hidden),), hidden.shape[1] - 1, device=hidden.device)
        else:
            places = torch.arange(hidden.shape[1], device=hidden.device)
            last = (places * attention_mask).argmax(dim=1)
        rows = torch.arange(len(hidden), device=hidden.device)
        return SequenceClassifierOutput(logits=self.regression_head(hidden[rows, last]))


def load_reward_model(
    name: str, revision: str | None = None, dtype: torch.dtype = torch.float32
) -> tuple[Any, Any]:
    """Load a reward model by Hugging Face id or folder. Code that comes with it is never run.

    Returns
    -------
    model, tokenizer
        The model, in evaluation mode on the first GPU or the CPU, takes `input_ids` and
        `attention_mask` and returns `logits` of shape (n, 1), the rewards.

    Raises
    ------
    InputError
        If it cannot be had or is no reward model, lacks a tensor (its head, say), has one too many
        or one of another shape, or if a file is damaged.
    """
    try:
        config = load_config(name, revision)
    except DAMAGED as error:
        may_be_id = name.count("/") <= 1 or Path(name).exists()
        why = reason(error) if may_be_id else "no such folder"
        raise InputError(
            f"reward.name: {name!r} cannot be loaded ({why}); give a Hugging Face id that this "
            "machine can reach, or the folder of a downloaded reward model"
        ) from None
    kind = _kind(name, config)
    model, info = _whole(
        name,
        "weights",
        lambda: kind.from_pretrained(
            name,
            revision=revision,
            dtype=dtype,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are told below, by name
            output_loading_info=True,
        ),
    )
    _check_tensors(name, info)
    tokenizer = _whole(
        name,
        "tokenizer",
        lambda: AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False),
    )
    return model.to(device()).eval(), tokenizer


def _kind(name: str, config: Any) -> Any:
    """Return the class that loads a model of this config."""
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
        f"{name}: {architecture or 'a model'} of type {config.model_type} is no reward model; "
        f"expected {ACCEPTED}"
    )


def _check_tensors(name: str, info: dict[str, Any]) -> None:
    """Raise InputError unless file and model have the same tensors, of the same shapes."""
    missing, unexpected = set(info["missing_keys"]), set(info["unexpected_keys"])
    if HEAD in missing:
        raise InputError(
            f"{name}: tensor '{HEAD}' is missing: that is a language model without its reward "
            f"head; expected {ACCEPTED}"
        )
    for tensors, what in ((missing, "is missing"), (unexpected, "is not part of such a model")):
        if tensors:
            more = f" (and {len(tensors) - 1} more)" if len(tensors) > 1 else ""
            raise InputError(
                f"{name}: tensor '{min(tensors)}'{more} {what}; take weights and config.json of "
                "one model"
            )
    # The head first: that it is of another size says more than that the layers are.
    found = sorted(info["mismatched_keys"], key=lambda item: (item[0] != HEAD, item[0]))
    for tensor, stored, own in found[:1]:
        raise InputError(
            f"{name}: tensor '{tensor}' has shape {list(stored)}, by config.json it should have "
            f"{list(own)}; take weights and config.json of one model"
        )


def _whole(name: str, what: str, load: Callable[[], T]) -> T:
    """Load weights or tokenizer; name the file that is to blame, if one can be found."""
    try:
        return load()
    except DAMAGED as error:
        where = next(_damaged_files(Path(name)), name) if what == "weights" else name
        raise InputError(
            f"{where}: the {what} cannot be loaded ({type(error).__name__}: {reason(error)}); "
            "download or make them again"
        ) from None


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

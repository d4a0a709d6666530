"""Count the base model's parameters without its weights."""

from pathlib import Path

from nearfirst.common.errors import InputError
from nearfirst.model.settings import ModelSettings


def count_parameters(settings: ModelSettings, fetched: Path) -> int | None:
    """Return the number of parameters of the base model; None if unknown.

    For a model of a package or the hub that is `model.parameters`; without it, a hub model is
    counted from the folder `fetched`. Raises InputError if transformers cannot build the model.
    """
    if settings.package:
        return settings.parameters
    name, small = settings.name, settings.pretrain
    if name and not Path(name).is_dir():
        if settings.parameters or not fetched.is_dir():
            return settings.parameters
        name = str(fetched)
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig

    pretrained = LlamaConfig(vocab_size=small.vocabulary, **small.llama())
    try:
        # Run no code from the model or the hub.
        config = AutoConfig.from_pretrained(name, trust_remote_code=False) if name else pretrained
        safe = {"trust_remote_code": False, "attn_implementation": "eager"}
        with torch.device("meta"):  # no memory for weights
            model = AutoModelForCausalLM.from_config(config, **safe)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{name}: cannot build this model: {reason}") from None
    return int(model.num_parameters())

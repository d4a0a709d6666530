"""A tokenizer without its model."""

from typing import Any

from nearfirst.common.errors import InputError


def load_tokenizer(name: str, key: str, others: str = "") -> Any:
    """Load the tokenizer of a folder or a Hugging Face id, without torch.

    Raises InputError if it cannot be loaded; the message names the config key `key` and suggests
    `others`, further values of the key.
    """
    from transformers import AutoTokenizer

    from nearfirst.model.load_errors import DAMAGED, reason

    try:
        # Without trust_remote_code=False, transformers asks on the terminal and may run code.
        return AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except DAMAGED as error:
        raise InputError(
            f"{key}: {name!r} cannot be loaded ({reason(error, name)}); give {others}a Hugging "
            "Face id that this machine can reach, or a folder with a tokenizer"
        ) from None

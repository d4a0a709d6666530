"""The tokens of representations that the base model computes."""

import pyarrow as pa

from nearfirst.data.instances import conversations
from nearfirst.embed.registry import Context
from nearfirst.model import load, template


def encode_instances(instances: pa.Table, context: Context) -> list[template.Tokens]:
    """Return the tokens of each instance in the training template."""
    tokenizer, settings = load.load_tokenizer(context.model), context.template
    talks = conversations(instances)
    return template.encode(talks, tokenizer, settings.max_length, settings.format)

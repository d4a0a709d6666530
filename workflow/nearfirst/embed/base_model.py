"""The tokens of representations that the base model computes."""

from nearfirst.embed.registry import Context, Instances
from nearfirst.model import load, template


def encode_instances(instances: Instances, context: Context) -> list[template.Tokens]:
    """Return the tokens of each instance in the training template."""
    tokenizer, settings = load.load_tokenizer(context.model), context.template
    talks = instances.conversations()
    return template.encode(talks, tokenizer, settings.max_length, settings.format)

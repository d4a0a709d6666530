"""Position-weighted means of the base model's last hidden states (RDS+)."""

from typing import Literal

from pydantic import Field, PositiveInt

from nearfirst.embed.registry import Context, Instances, Represented
from nearfirst.embed.settings import OfBaseModel


class Settings(OfBaseModel):
    """A mean of the base model's last hidden states that weights later positions more (RDS+)."""

    kind: Literal["hidden"] = "hidden"
    batch_tokens: PositiveInt = Field(
        4096, description="Tokens in one forward pass, padding included."
    )


def represent(instances: Instances, settings: Settings, context: Context) -> Represented:
    """Return the mean hidden states of N instances, (N, width of the model)."""
    from nearfirst.embed.base_model import encode_instances
    from nearfirst.embed.hidden import means
    from nearfirst.model.device import device
    from nearfirst.model.load import load_model

    model = load_model(context.model).to(device()).eval()
    tokens = encode_instances(instances, context)
    return Represented(means(model, tokens, settings.batch_tokens, context.keep))

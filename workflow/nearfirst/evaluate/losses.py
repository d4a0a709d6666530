"""Losses of test instances at checkpoints (Section 2.2)."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.common.batching import batches
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import LOSSES
from nearfirst.common.progress import SCREEN
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import precision
from nearfirst.model.check import check_model
from nearfirst.model.checkpoints import step_of, stream_weights
from nearfirst.model.device import keep_freed_memory
from nearfirst.model.loss import mean_losses
from nearfirst.model.template import Tokens


@precision.without_gradients
def losses(model: Any, tokens: Sequence[Tokens], batch_tokens: int) -> npt.NDArray[np.float32]:
    """Return the mean loss over the labels of each of n instances, in nats: (n,) float32.

    Each instance has a label. A forward pass has at most `batch_tokens` tokens, padding included.
    """
    result = np.empty(len(tokens), dtype=np.float32)
    for batch in batches([len(item.ids) for item in tokens], batch_tokens):
        result[batch] = mean_losses(model, [tokens[i] for i in batch])
    return result


def evaluate(
    model: Any,
    checkpoints: Sequence[Sequence[Path]],
    instances: pa.Table,
    tokens: Sequence[Tokens],
    settings: EvaluateSettings,
) -> Iterator[pa.Table]:
    """Yield the LOSSES table of the instances at each checkpoint, and log each mean loss.

    The mean weights of each window of checkpoints (`checkpoints.windows`) replace the model's, and
    count as the window's last checkpoint. Every instance has a label. Raises InputError if a
    checkpoint is damaged, or a loss is not finite.
    """
    if model.device.type == "cpu":
        keep_freed_memory()
    num_tokens = sum(len(item.ids) for item in tokens)
    labels = [item.label_tokens for item in tokens]
    start = previous = time.monotonic()
    with closing(stream_weights(model, checkpoints)) as loaded:
        for done, (*_, folder) in enumerate(loaded, start=1):
            # A new context each time: it caches converted weights.
            with precision.tf32(settings.precision), precision.autocast(settings.precision):
                if done == 1:
                    check_model(model, tokens)
                loss = losses(model, tokens, settings.batch_tokens)
            if not np.isfinite(loss).all():
                id_ = instances["id"][int(np.argmin(np.isfinite(loss)))]
                raise InputError(
                    f"{folder}: the loss of id '{id_}' is not finite: the run diverged; lower "
                    "train.learning_rate"
                )
            step = step_of(folder)
            # Count from the previous checkpoint, to include the time to read this one.
            now = time.monotonic()
            left = (now - start) / done * (len(checkpoints) - done)
            logging.info(
                "step %d: mean loss %.4f (%.1f s, %.0f tokens/s), %.0f s left",
                *(step, loss.mean(), now - previous, num_tokens / (now - previous), left),
            )
            SCREEN.show(f"step {step}, mean loss {loss.mean():.3f}, {left:.0f} s left")
            columns = [[step] * len(tokens), instances["id"], instances["task"], loss, labels]
            yield pa.table(columns, schema=LOSSES)
            previous = now

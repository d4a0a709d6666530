"""Run train.py and note what FSDP does: `WATCHED=FILE watch_fsdp.py FLAGS`.

The file gets a line of JSON for each pass: whether the shards hold gradients at its start; and for
each part of a state: its name, and whether it is gathered in CPU memory or loaded from there.
"""

import json
import os
from pathlib import Path
from typing import Any

import real_train
from torch.distributed.checkpoint import state_dict

from nearfirst.train import segment


def note(what: object) -> None:
    """Write a line, in the first process."""
    if os.environ.get("RANK") == "0":
        with Path(os.environ["WATCHED"]).open("a") as lines:
            lines.write(json.dumps(what) + "\n")


def watch_passes() -> None:
    """Have the loss of each pass look at the gradients first."""
    step_loss = segment.step_loss

    def watched(model: Any, *args: Any) -> Any:
        note(sorted({parameter.grad is not None for parameter in model.parameters()}))
        return step_loss(model, *args)

    segment.step_loss = watched


def watch_states(name: str) -> None:
    """Look at the options of a function that gathers a part of a state, or loads it.

    With `cpu_offload` no more than a tensor at a time is on the GPU while gathering, and with
    `broadcast_from_rank0` while loading.
    """
    original = getattr(state_dict, name)

    def watched(*args: Any, options: Any, **kwargs: Any) -> Any:
        key = "cpu_offload" if name.startswith("get") else "broadcast_from_rank0"
        note({name: getattr(options, key)})
        return original(*args, options=options, **kwargs)

    setattr(state_dict, name, watched)


if __name__ == "__main__":
    watch_passes()
    for part in ("model", "optimizer"):
        for verb in ("get", "set"):
            watch_states(f"{verb}_{part}_state_dict")
    real_train.main()

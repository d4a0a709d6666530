"""Run train.py and record, at the start of each pass, whether the shards hold gradients.

`WATCHED=FILE watch_gradients.py FLAGS`. The file gets a line of JSON for each pass.
"""

import json
import os
from pathlib import Path
from typing import Any

import real_train

from nearfirst.train import segment


def watch() -> None:
    """Make the loss of each pass record the gradients first."""
    step_loss = segment.step_loss

    def watched(model: Any, *args: Any) -> Any:
        if os.environ.get("RANK") == "0":
            has_gradient = {parameter.grad is not None for parameter in model.parameters()}
            with Path(os.environ["WATCHED"]).open("a") as lines:
                lines.write(json.dumps(sorted(has_gradient)) + "\n")
        return step_loss(model, *args)

    segment.step_loss = watched


if __name__ == "__main__":
    watch()
    real_train.main()

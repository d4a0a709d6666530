"""Run train.py with float16 as on GPUs: `float16_on_cpu.py FLAGS`.

accelerate leaves float16 out on a CPU. Here it autocasts and scales the loss there as on a GPU, and
FSDP computes by the policy that it is given; only the kernels are those of the CPU. torchrun starts
the processes of several GPUs by this very command line, so they emulate too. The scale begins at
LOSS_SCALE.
"""

import os
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from nearfirst.model import precision

TRAIN = Path(__file__).parents[2] / "workflow/scripts/train.py"


def emulate() -> None:
    """Have accelerate, and the check of the hardware, take the CPU for a GPU with float16."""
    create = Accelerator.__init__

    def with_scaler(self: Any, *args: Any, **named: Any) -> None:
        create(self, *args, **named)
        if self.mixed_precision == "fp16":
            scale = float(os.environ.get("LOSS_SCALE", 2**16))
            self.scaler, self.native_amp = torch.amp.GradScaler("cpu", scale), True

    Accelerator.__init__ = with_scaler
    precision.check = lambda *_: None


if __name__ == "__main__":
    emulate()
    # Not by runpy, which makes train.py the program that torchrun starts.
    exec(compile(TRAIN.read_text(), TRAIN, "exec"), {"__name__": "__main__"})

"""Run train.py with float16 as on GPUs: `float16_on_cpu.py FLAGS`.

accelerate does not support float16 on a CPU. Here it autocasts and scales the loss as on a GPU, and
FSDP follows its precision policy; only the kernels are those of the CPU. torchrun starts the
processes of several GPUs with the same command line, so they emulate it too. LOSS_SCALE sets the
initial scale.
"""

import os
from typing import Any

import real_train
import torch
from accelerate import Accelerator

from nearfirst.model import precision


def emulate() -> None:
    """Make accelerate and the hardware check treat the CPU as a GPU with float16."""
    create = Accelerator.__init__

    def with_scaler(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        if self.mixed_precision == "fp16":
            scale = float(os.environ.get("LOSS_SCALE", 2**16))
            self.scaler, self.native_amp = torch.amp.GradScaler("cpu", scale), True

    Accelerator.__init__ = with_scaler
    precision.check = lambda *_: None


if __name__ == "__main__":
    emulate()
    real_train.main()

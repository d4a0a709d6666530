"""The schedules of the learning rate, by name. Nothing more: arrangements name one, too."""

from typing import Literal

Schedule = Literal["cosine", "linear", "constant", "warmup-stable-decay"]

"""Names of learning-rate schedules, in a module of their own: arrangements use them too."""

from typing import Literal

Schedule = Literal["cosine", "linear", "constant", "warmup-stable-decay"]

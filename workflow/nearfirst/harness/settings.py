"""Settings of lm-evaluation-harness tasks."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.settings import Section, Threads


class HarnessSettings(Section):
    """Tasks of lm-evaluation-harness, for the metrics `lm_eval:TASK`."""

    include: str | None = Field(
        None,
        min_length=1,
        description="Folder with your own tasks as YAML; they precede those of lm_eval.",
    )
    shots: NonNegativeInt | None = Field(
        None, description="Few-shot examples before each question; null: as the task says."
    )
    limit: PositiveInt | None = Field(
        None, description="Number of documents of each task, from the first; null: all."
    )
    chat_template: bool = Field(
        False, description="Put questions into the chat template of the tokenizer."
    )
    batch_size: PositiveInt = Field(16, description="Requests in one forward pass.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="Arithmetic, as in `evaluate`."
    )
    threads: Threads = 1

    @model_validator(mode="after")
    def _include_exists(self) -> Self:
        if self.include is not None and not Path(self.include).is_dir():
            raise ValueError(f"include: {self.include!r} is not a folder here")
        return self

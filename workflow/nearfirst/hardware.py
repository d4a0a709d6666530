"""Resources of the jobs. Changing these settings reruns nothing, except for `embed_shards`.

The shards are files, so another number reruns whatever reads embeddings. Keys whose default is
`auto` are derived from the model where the config does not set them (`requests.py`); the numbers
here are for a model of unknown size.
"""

from typing import Any

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.settings import Section

AUTO: Any = {"default": "auto"}


def _without_auto(given: Any) -> Any:
    """Leave out what the config sets to `auto`: left out, a key is derived."""
    if given == "auto":
        return {}
    if isinstance(given, dict):
        return {key: value for key, value in given.items() if value != "auto"}
    return given


class TrainHardware(Section):
    """The machine of a training job. A step holds the same instances on any of them."""

    gpus: PositiveInt = Field(
        1, description="GPUs of a training job; with FSDP if several.", json_schema_extra=AUTO
    )
    offload: bool = Field(
        False,
        description="Weights and optimizer state in CPU memory, with FSDP; derived: only where a "
        "GPU of `gpu_memory_gb` is too small without.",
        json_schema_extra=AUTO,
    )
    recompute_activations: bool = Field(
        False, description="Save memory by computing activations twice."
    )
    state_every: PositiveInt | None = Field(
        None,
        description="Steps between the states from which a killed job goes on; null: as many as "
        "take 5 minutes, or 20 times as long as the last state took to save. A SIGTERM saves one, "
        "too.",
    )
    memory_mb: PositiveInt = Field(
        4000, description="Memory of a training job, in MB.", json_schema_extra=AUTO
    )
    minutes: PositiveInt = Field(
        60, description="Time limit of a training job.", json_schema_extra=AUTO
    )

    _auto = model_validator(mode="before")(_without_auto)

    def is_sharded(self) -> bool:
        """Return whether FSDP trains: over several GPUs, or between one and CPU memory."""
        return self.gpus > 1 or self.offload


class EmbedHardware(Section):
    """The machine of the jobs that represent instances."""

    gpus: int = Field(1, ge=0, le=1, description="GPUs of an embedding job.")
    memory_mb: PositiveInt = Field(4000, description="Memory of an embedding job, in MB.")
    minutes: PositiveInt = Field(240, description="Time limit of an embedding job.")


class EvaluateHardware(Section):
    """The machine of an evaluation job."""

    gpus: int = Field(1, ge=0, le=1, description="GPUs of an evaluation job.")
    memory_mb: PositiveInt = Field(
        4000, description="Memory of an evaluation job, in MB.", json_schema_extra=AUTO
    )
    minutes: PositiveInt = Field(
        60, description="Time limit of an evaluation job.", json_schema_extra=AUTO
    )

    _auto = model_validator(mode="before")(_without_auto)


class GenerateHardware(Section):
    """The machine of a generation job."""

    gpus: int = Field(1, ge=0, le=1, description="GPUs of a generation job.")
    batch_size: PositiveInt = Field(
        8,
        description="Instances that are answered together; an answer does not depend on it, but "
        "for rounding (`generate.precision`).",
    )
    memory_mb: PositiveInt = Field(
        4000, description="Memory of a generation job, in MB.", json_schema_extra=AUTO
    )
    minutes: PositiveInt = Field(
        60, description="Time limit of a generation job.", json_schema_extra=AUTO
    )

    _auto = model_validator(mode="before")(_without_auto)


class RewardHardware(Section):
    """The machine of the jobs that train the reward model and score with it."""

    gpus: int = Field(1, ge=0, le=1, description="GPUs of a reward job.")
    memory_mb: PositiveInt = Field(
        4000, description="Memory of a reward job, in MB.", json_schema_extra=AUTO
    )
    minutes: PositiveInt = Field(
        60, description="Time limit of a reward job.", json_schema_extra=AUTO
    )

    _auto = model_validator(mode="before")(_without_auto)


class HardwareSettings(Section):
    """How the work is spread."""

    embed_shards: PositiveInt = Field(
        1,
        description="Jobs that share the embedding of a split. Another number embeds again, to the "
        "same bytes, and reruns all that follows.",
    )
    threads: PositiveInt = Field(
        2,
        description="CPU threads of distances, arrangements and similarity; they do not change the "
        "result.",
    )
    order_processes: PositiveInt = Field(
        1,
        description="Runs of `order_score` side by side in its one job, each on `train.threads` "
        "threads; they do not change the result.",
    )
    gpu_memory_gb: PositiveInt = Field(
        80,
        description="Memory of a GPU, in GB. `train.gpus` and `train.offload` follow from it.",
    )
    train: TrainHardware = TrainHardware()
    embed: EmbedHardware = EmbedHardware()
    evaluate: EvaluateHardware = EvaluateHardware()
    generate: GenerateHardware = GenerateHardware()
    reward: RewardHardware = RewardHardware()

    _auto = model_validator(mode="before")(_without_auto)

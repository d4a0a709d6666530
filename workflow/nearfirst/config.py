"""The whole config as one typed model: defaults, presets, validation and its messages.

Only the Snakefile and the docs read this module; a stage program gets its own section.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from nearfirst.arrange.registry import METHODS
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.common.settings import Section, check_once
from nearfirst.config_rows import Rows, Table, explain_all, merge, section_of
from nearfirst.corpus.settings import CorpusSettings
from nearfirst.data.registry import FORMATS
from nearfirst.data.settings import Dataset
from nearfirst.distance.settings import DistanceSettings
from nearfirst.distance.similarity_settings import SimilaritySettings
from nearfirst.elsewhere.settings import SOURCES, CheckpointSettings
from nearfirst.embed.registry import KINDS as REPRESENTATIONS
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.explore.settings import ExplorationSettings
from nearfirst.figures.figure import Figure
from nearfirst.figures.kinds.query_gap import Settings as QueryGap
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
from nearfirst.requests import derive, derive_reward, segment_steps
from nearfirst.reward.settings import RewardSettings
from nearfirst.score.settings import ScoreSettings
from nearfirst.shape import shape_of, shape_of_named
from nearfirst.tables.settings import (
    GeneralizationSettings,
    StabilitySettings,
    TableSettings,
)
from nearfirst.takeaways.settings import TakeawaySettings
from nearfirst.train.settings import TrainSettings

TABLES = (
    Table("data", FORMATS, default="chat"),
    Table("representations", REPRESENTATIONS, default="text"),
    Table("arrangements", METHODS),
    Table("checkpoints", SOURCES, default="folders"),
    Table("figures", KINDS),
)


class Config(Section):
    """Every setting, by the stage that reads it."""

    preset: str = Field("mini", description="File of `workflow/presets/` that this config refines.")
    run: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Name of the experiment: everything goes below `results/NAME/`. Null: below "
        "`results/`.",
    )
    seeds: list[NonNegativeInt] = Field(
        [0], min_length=1, description="Seeds of the arrangements: the runs behind each interval."
    )
    keep_checkpoints: bool = Field(
        True,
        description="Keep checkpoints. False deletes each once everything that this call of "
        "Snakemake computes from it is there, which bounds the disk a run needs; what a later call "
        "computes, such as answers after losses, trains again.",
    )
    report_to: list[Tracker] = Field(
        [],
        description="Trackers that get the metrics of training and the losses of evaluation too: "
        "`tensorboard`, `wandb`, or both. Changing it reruns nothing.",
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
    def _one_or_several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given or []

    @model_validator(mode="after")
    def _each_seed_once(self) -> Self:
        check_once("seeds", self.seeds)
        return self

    def seeds_of(self, arrangement: str) -> list[int]:
        """Return the seeds of an arrangement's runs: one, where a seed would change nothing."""
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
        """What another seed changes, as captions put it."""
        if self.model.bases_vary:
            return "Another seed is another base model, pretrained anew, and another shuffle."
        return "Another seed is another shuffle; the base model is the same."

    def test_of(self, dataset: str) -> str:
        """Return the test set of a data set."""
        return self.data[dataset].test

    def training(self, dataset: str, arrangement: str) -> TrainSettings:
        """Return the training settings of a run.

        Its arrangement may set steps, schedule and rate, its data set the steps. Raises InputError
        if they do not fit the other settings, or the run was trained elsewhere.
        """
        if arrangement in self.checkpoints:
            raise InputError(
                f"{arrangement}, of `checkpoints`, was trained elsewhere: how is not known here"
            )
        row = self.arrangements[arrangement]
        changes: dict[str, Any] = {}
        if steps := row.steps or self.data[dataset].steps:
            segment_steps = None if steps == "epoch" else self.train.segment_steps
            changes |= {"steps": steps, "segment_steps": segment_steps}
        if row.learning_rate == "mean":
            changes |= {
                "schedule": "constant",
                "mean_of": self.train.mean_of or self.train.schedule,
            }
        elif row.schedule:
            changes |= {"schedule": row.schedule, "mean_of": None}
            # What only the other schedule has.
            changes |= {"decay_steps": None} if row.schedule != "warmup-stable-decay" else {}
            changes |= {"final_rate": 0.0} if row.schedule == "constant" else {}
        if row.learning_rate not in (None, "mean"):
            changes["learning_rate"] = row.learning_rate
        return self.in_segments(self._changed(changes, f"{arrangement} on {dataset}"))

    def in_segments(self, train: TrainSettings) -> TrainSettings:
        """Return the settings of a run, with `segment_steps` where the config leaves them open."""
        if "segment_steps" in self.train.model_fields_set or self._shape is None:
            return train
        steps = segment_steps(self._shape, train, self.template)
        return train.model_copy(update={"segment_steps": steps})

    @cached_property
    def _shape(self) -> Shape | None:
        """The shape of the base model, the same whether it is fetched yet or not."""
        return shape_of(self.model, None)

    def warm_up(self, representation: str) -> TrainSettings:
        """Return the training settings of a representation's warm-up run; raises as `training`."""
        row: Any = self.representations[representation]
        every = row.warmup_steps // row.checkpoints
        changes = {"steps": row.warmup_steps, "epochs": 1, "segment_steps": every}
        changes |= {"checkpoint_every": every, "checkpoint_dtype": "float32"}
        return self._changed(changes, f"representations.{representation}")

    def order_run(self) -> TrainSettings:
        """Return the training settings of a run of `order_score`; raises as `training`."""
        steps = self.order_score.steps
        changes = {"steps": steps, "epochs": 1, "segment_steps": None, "checkpoint_every": steps}
        return self._changed(changes, "order_score")

    def _changed(self, changes: dict[str, Any], what: str) -> TrainSettings:
        try:
            return TrainSettings.model_validate(self.train.model_dump() | changes)
        except ValidationError as error:
            faults = explain_all(error, TrainSettings, "train")
            raise InputError(f"{next(iter(faults.values()))}; so it is for {what}") from None

    def segments(self, dataset: str, arrangement: str) -> list[str]:
        """Return the segments of a run, `START-STOP`; `0-end` is a run of unknown length."""
        if arrangement in self.checkpoints:
            return ["0-end"]
        return [
            f"{start}-{'end' if stop is None else stop}"
            for start, stop in self.training(dataset, arrangement).segments()
        ]


STANDARD_FIGURE = {
    "kind": "arrangements",
    "curves": {"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
    "reference": "NFT",
}
"""`fig4_NAME` of a data set that the user adds, beside `advice_NAME` and, with `evaluate.also`,
`elsewhere_NAME`."""


def load(user: Mapping[str, Any], presets: Path) -> Config:
    """Validate the user's config over its preset (of the folder `presets`) over the defaults.

    What jobs ask for is derived from the model where `hardware` does not say.

    Raises InputError with one line for each fault: the key, the value, what is wrong, and for an
    unknown key the nearest valid one.
    """
    user = _with_nulls(user)
    presets_of = _preset(str(user.get("preset", "mini")), presets)
    layers = [_standard_figures(user, presets_of), *presets_of, user]
    content: dict[str, Any] = {}
    for layer in layers:
        content = merge(Config, content, layer)
    faults: dict[str, str] = {}
    for table in TABLES:
        # What arrangements go by unless they say otherwise.
        first = [{"text": {"kind": "text"}}] if table.name == "representations" else []
        given = first + [layer[table.name] for layer in layers if layer.get(table.name) is not None]
        wrong = next((rows for rows in given if not isinstance(rows, Mapping)), None)
        if wrong is not None:
            faults[table.name] = f"config key '{table.name}': {wrong!r} is no table of rows by name"
            continue
        rows = Rows(table, given)
        content[table.name] = rows.resolve()
        faults |= rows.faults
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        faults = explain_all(error, Config) | faults
    if not faults:
        faults = _unknown_names(config) or _misused(config) or _measure_also(config)
    if faults:
        raise InputError("\n".join(faults.values()))
    return config.model_copy(update={"hardware": _derived(config)})


def _standard_figures(
    user: Mapping[str, Any], presets: list[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return the layer of the figures that each data set has which the user adds."""
    known = {name for layer in presets for name in layer.get("data") or {}}
    given, evaluate = user.get("data"), user.get("evaluate")
    also = evaluate.get("also") or [] if isinstance(evaluate, Mapping) else []
    figures: dict[str, Any] = {}
    for name, row in given.items() if isinstance(given, Mapping) else ():
        if row and name not in known:
            figures[f"fig4_{name}"] = {**STANDARD_FIGURE, "dataset": name}
            figures[f"advice_{name}"] = {"kind": "advice", "dataset": name}
            if any(other != name for other in also):
                figures[f"elsewhere_{name}"] = {"kind": "query-gap", "dataset": name}
    return {"figures": figures}


def _derived(config: Config) -> HardwareSettings:
    """Return what jobs ask for, derived from the models where `hardware` does not say it."""
    hardware, fetched = config.hardware, Path("results", config.run or "", "raw/model")
    train, template, reward = config.in_segments(config.train), config.template, config.reward
    shape = shape_of(config.model, fetched / "model")
    if shape:
        hardware = derive(hardware, shape, train, template, config.evaluate, config.generate)
    if reward.name:
        shape = shape_of_named(reward, fetched / "reward")
    if shape:
        hardware = derive_reward(hardware, shape, reward, train, template)
    return hardware


def _preset(name: str, presets: Path) -> list[Mapping[str, Any]]:
    """Return the layers of a preset: those that it is `like`, then its own."""
    path = presets / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in presets.glob("*.yaml"))
        raise InputError(
            f"config key 'preset': {name!r} is none of the presets {', '.join(known)}"
            f"{did_you_mean(name, known)}"
        )
    own = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    like = own.pop("like", None)
    return [*(_preset(like, presets) if like else []), own]


def _with_nulls(value: Any) -> Any:
    """Return a config in which `null` is null: `--config` gives every word as text."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(part) for key, part in value.items()}
    return None if value == "null" else value


def _measure_also(config: Config) -> dict[str, str]:
    """Add the sets of `evaluate.also` to figures; return a line for each that has too few."""
    faults = {}
    for name, figure in config.figures.items():
        if isinstance(figure, QueryGap):
            figure = config.figures[name] = figure.also(config.evaluate.also, config)
            if len(figure.sets) < 2:
                key = f"figures.{name}.sets"
                faults[key] = (
                    f"config key '{key}': {', '.join(figure.sets)} alone; name two sets, or other "
                    "data sets in evaluate.also"
                )
    return faults


def _unknown_names(config: Config) -> dict[str, str]:
    """Return a line for each key that names what is not there."""
    known: dict[str, list[str]] = {
        "data set": list(config.data),
        "arrangement": list(config.arrangements),
        "representation": list(config.representations),
        "figure to compare": [n for n, f in config.figures.items() if f.kind == "arrangements"],
    }
    faults = {}
    for key, what, name in _references(config):
        options = known[what]
        if what == "arrangement" and key.startswith("figures."):
            options = [*options, *config.checkpoints]
        if name not in options:
            faults[key] = (
                f"config key '{key}': there is no {what} {name!r}; there are {', '.join(options)}"
                f"{did_you_mean(name, options)}"
            )
    for key, name, split in _splits(config):
        if key not in faults and name in config.data and not config.data[name].has(split):
            faults[key] = (
                f"config key '{key}': {name} has no {split!r}; it has {config.data[name].test!r}"
            )
    return faults


def _references(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield each key that names a row of a table, what it names, and the name."""
    for table in ("figures", "representations"):
        for name, row in getattr(config, table).items():
            for key, what, named in row.references():
                yield f"{table}.{name}.{key}", what, named
    go_by: dict[str, Any] = {
        **{f"arrangements.{name}": row for name, row in config.arrangements.items()},
        **{f"data.{name}.exclude": row.exclude for name, row in config.data.items()},
        **{"explore": config.explore, "similarity": config.similarity},
    }
    for key, its in go_by.items():
        yield f"{key}.representation", "representation", its.representation
    score = config.order_score
    if score.dataset:
        yield "order_score.dataset", "data set", score.dataset
    for name in score.representations:
        yield "order_score.representations", "representation", name
    for name in config.evaluate.also:
        yield "evaluate.also", "data set", name
    for key, what, name in config.tables.references():
        yield f"tables.{key}", what, name
    for at, name in enumerate(config.reward.preferences.datasets):
        yield f"reward.preferences.datasets.{at}", "data set", name


def _splits(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield each key that names a test set, its data set, and the test set."""
    for table, figures in (("figures.", config.figures), ("", {"tables": config.tables})):
        for name, row in figures.items():
            for key, dataset, split in row.splits():
                yield f"{table}{name}.{key}", dataset, split


def _misused(config: Config) -> dict[str, str]:
    """Return a line for each row that names what is there, and of no use to it."""
    faults = {}
    for name, row in config.data.items():
        its = config.representations[row.exclude.representation]
        if row.exclude.near_embedding is not None and hasattr(its, "warmup_steps"):
            faults[f"data.{name}.exclude.representation"] = (
                f"{row.exclude.representation!r} is warmed up on what is not left out; name one "
                "that needs no training, such as 'text'"
            )
    for name in sorted(config.checkpoints.keys() & config.arrangements.keys()):
        faults[f"checkpoints.{name}"] = "an arrangement has this name; choose another"
    for name, figure in config.figures.items():
        for run in figure.similarities(config):
            if run.arrangement in config.checkpoints:
                faults[f"figures.{name}"] = (
                    "it shows how similar the data seen are, and those of "
                    f"{run.arrangement!r}, of `checkpoints`, are not known here"
                )
    return {key: f"config key '{key}': {fault}" for key, fault in faults.items()}


def sections(
    model: type[BaseModel] = Config, prefix: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every section of the config with its dotted prefix, depth first.

    Of a table each type of row is given, under `NAME`.
    """
    yield prefix, model
    for name, info in model.model_fields.items():
        if section := section_of(info.annotation):
            yield from sections(section, f"{prefix}{name}.")
        for table in TABLES if model is Config else ():
            if name == table.name:
                for kind in table.types.names():
                    yield from sections(table.types.settings(kind), f"{name}.NAME.")

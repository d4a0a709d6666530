"""The whole config as one typed model: defaults, presets, validation and its messages.

Only the Snakefile and the docs read this module; a stage program gets its own section alone.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, NonNegativeInt, ValidationError, model_validator

from nearfirst.arrange.paper import STANDARD
from nearfirst.arrange.settings import ArrangementSettings, Name
from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section, check_once
from nearfirst.corpus.settings import CorpusSettings
from nearfirst.data.datasets import DataSettings
from nearfirst.distance.settings import DistanceSettings
from nearfirst.distance.similarity_settings import SimilaritySettings
from nearfirst.embed.settings import EmbeddingSettings
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.explore.settings import ExplorationSettings
from nearfirst.figures.catalogue import ArrangementsFigure, FigureSettings, TableSettings
from nearfirst.figures.look import LookSettings
from nearfirst.figures.settings import (
    ComparisonSettings,
    CurveSettings,
    DistributionSettings,
    LossTypesSettings,
    PredictionSettings,
)
from nearfirst.generate.settings import GenerateSettings
from nearfirst.hardware import HardwareSettings
from nearfirst.model.settings import ModelSettings, TemplateSettings
from nearfirst.reward.settings import RewardSettings
from nearfirst.score.settings import ScoreSettings
from nearfirst.tables.settings import GeneralizationSettings, StabilitySettings
from nearfirst.train.settings import TrainSettings


class Config(Section):
    """Every knob, by the stage that reads it."""

    preset: str = Field("mini", description="File of `workflow/presets/` that this config refines.")
    seeds: list[NonNegativeInt] = Field(
        [0], min_length=1, description="Seeds of the arrangements: the runs behind each interval."
    )
    keep_checkpoints: bool = Field(
        True,
        description="Keep checkpoints; false deletes them once all that this call of Snakemake "
        "makes of them is there, which bounds the disk a run needs. What a later call makes of "
        "them, such as answers after losses, trains again: ask for both in one.",
    )
    corpus: CorpusSettings = CorpusSettings()
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    distance: DistanceSettings = DistanceSettings()
    explore: ExplorationSettings = ExplorationSettings()
    similarity: SimilaritySettings = SimilaritySettings()
    arrangements: dict[Name, ArrangementSettings] = STANDARD
    template: TemplateSettings = TemplateSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    generate: GenerateSettings = GenerateSettings()
    scores: ScoreSettings = ScoreSettings()
    reward: RewardSettings = RewardSettings()
    curves: CurveSettings = CurveSettings()
    comparison: ComparisonSettings = ComparisonSettings()
    loss_types: LossTypesSettings = LossTypesSettings()
    prediction: PredictionSettings = PredictionSettings()
    generalization: GeneralizationSettings = GeneralizationSettings()
    distribution: DistributionSettings = DistributionSettings()
    stability: StabilitySettings = StabilitySettings()
    figures: FigureSettings = FigureSettings()
    tables: TableSettings = TableSettings()
    look: LookSettings = LookSettings()
    hardware: HardwareSettings = HardwareSettings()

    @model_validator(mode="after")
    def _each_seed_once(self) -> Self:
        check_once("seeds", self.seeds)
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for key, name, known in self._names():
            if name not in known:
                if name == "mine":
                    raise ValueError(f"{key}: there is no data set 'mine'; set data.mine.path")
                nearest = difflib.get_close_matches(name, known, 1, 0.6)
                hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
                raise ValueError(f"{key}: {name!r} is none of {', '.join(known)}{hint}")
        return self

    @model_validator(mode="after")
    def _test_sets_are_there(self) -> Self:
        datasets = self.data.by_name()
        tables = [*self.tables.table4.tests(), *self.tables.metrics.tests()]
        for key, name, split in [*self.figures.tests(), *tables]:
            if not datasets[name].has(split):
                raise ValueError(f"{key}: {name} has no {split!r}; {datasets[name].test!r} it has")
        return self

    def has_data(self, figure: Section) -> bool:
        """Return whether a figure can be drawn: that of own data needs some."""
        return getattr(figure, "dataset", None) != "mine" or self.data.mine is not None

    def _names(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield every key that holds a name, the name, and the names there are."""
        known = {"dataset": list(self.data.by_name()), "arrangement": list(self.arrangements)}
        for figure_name in type(self.figures).model_fields:
            figure = getattr(self.figures, figure_name)
            if figure_name == "fig4_mine" and not self.has_data(figure):
                continue  # it is drawn once they are there
            for part, names in known.items():
                key = f"figures.{figure_name}.{part}"
                if hasattr(figure, part):
                    yield key, getattr(figure, part), names
                for label, name in getattr(figure, f"{part}s", {}).items():
                    yield f"{key}s.{label}", name, names
        for part in ("splits", "expected"):
            for name in getattr(self.tables.table4, part):
                yield f"tables.table4.{part}", name, known["dataset"]
        metrics = self.tables.metrics
        yield "tables.metrics.arrangement", metrics.arrangement, known["arrangement"]
        for label, name in metrics.datasets.items():
            yield f"tables.metrics.datasets.{label}", name, known["dataset"]
        for at, name in enumerate(self.reward.preferences.datasets):
            yield f"reward.preferences.datasets.{at}", name, known["dataset"]
        compared = [
            name for name, its in self.figures.of(ArrangementsFigure).items() if self.has_data(its)
        ]
        for name in self.tables.generalization:
            yield "tables.generalization", name, compared


def merge(
    model: type[BaseModel], base: Mapping[str, Any], over: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `base` with the values of `over`, section by section of `model`.

    A table of named sections (`arrangements`) is merged by name; a mapping that holds no sections
    (the labels of a figure) is replaced whole.
    """
    merged = dict(base)
    for key, value in over.items():
        field = model.model_fields.get(key)
        kind = field.annotation if field else None
        if (section := _section(kind)) and isinstance(value, Mapping | None):
            # An empty section ("train:" with all its keys commented out) changes nothing; where
            # there may be none (a data set's hub), null says so.
            if value is not None or kind is section:
                value = merge(section, base.get(key) or {}, value or {})
        elif (item := _item(kind)) and isinstance(value, Mapping | None):
            parts = value or {}
            old = base.get(key) or {}
            value = {
                **old,
                **{
                    name: merge(item, old.get(name) or {}, part or {})
                    if isinstance(part, Mapping | None)
                    else part
                    for name, part in parts.items()
                },
            }
        merged[key] = value
    return merged


def _with_nulls(value: Any) -> Any:
    """Return a config in which `null` is null: `--config` gives every word as text."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(part) for key, part in value.items()}
    return None if value == "null" else value


def _section(kind: Any) -> type[BaseModel] | None:
    """Return the section that a key holds, if only perhaps; None if it holds something else."""
    for of in (kind, *get_args(kind)) if get_origin(kind) in (None, Union, UnionType) else ():
        if isinstance(of, type) and issubclass(of, BaseModel):
            return of
    return None


def _item(kind: Any) -> type[BaseModel] | None:
    """Return the section that a table of named sections holds; None if it is no such table."""
    return _section(get_args(kind)[1]) if get_origin(kind) is dict else None


def sections(
    model: type[BaseModel] = Config, prefix: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every section of the config with its dotted prefix, depth first."""
    yield prefix, model
    for name, field in model.model_fields.items():
        if section := _section(field.annotation):
            yield from sections(section, f"{prefix}{name}.")
        elif item := _item(field.annotation):
            yield from sections(item, f"{prefix}{name}.NAME.")


def valid_keys() -> list[str]:
    """Return every key of the config, dotted."""
    return [f"{prefix}{name}" for prefix, model in sections() for name in model.model_fields]


def load(user: Mapping[str, Any], presets: Path) -> Config:
    """Validate the user's config over its preset over the defaults.

    Parameters
    ----------
    user
        What config.yaml, `--configfile` and `--config` gave.
    presets
        Folder of the preset files.

    Raises
    ------
    InputError
        One line a fault: the key, the value, what is wrong, and for an unknown key the nearest
        valid one.
    """
    name = user.get("preset", Config.model_fields["preset"].default)
    path = presets / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in presets.glob("*.yaml")))
        raise InputError(f"config key 'preset': {name!r} is none of the presets {known}")
    preset = yaml.safe_load(path.read_text()) or {}
    base = merge(Config, Config().model_dump(mode="json"), preset)
    try:
        return Config.model_validate(merge(Config, base, _with_nulls(user)))
    except ValidationError as error:
        # One line a key: a key of several types has a fault for each.
        lines = {_key(fault): _explain(fault) for fault in reversed(error.errors())}
        raise InputError("\n".join(reversed(lines.values()))) from None


def _key(fault: Any) -> str:
    """Return the dotted key of a fault, without the names pydantic gives to a key's types."""
    parts: list[str] = []
    model: Any = Config
    for part in fault["loc"]:
        if part == "[key]":  # the name itself is at fault
            break
        section = _section(model)
        if section is None and not isinstance(part, int) and get_origin(model) is not dict:
            break
        parts.append(str(part))
        if section and part in section.model_fields:
            model = section.model_fields[part].annotation
        else:
            model = get_args(model)[1] if get_origin(model) is dict else None
    return ".".join(parts)


def _explain(fault: Any) -> str:
    """Return one line that names the key, its value and what to do."""
    key = _key(fault)
    if fault["type"] == "extra_forbidden":
        # A misspelt leaf is nearest within its own section, a misplaced one by its last part.
        parent, _, name = key.rpartition(".")
        # Named sections are listed under NAME.
        named = re.fullmatch(r"arrangements\.([^.]+)", parent)
        parent = "arrangements.NAME" if named else parent
        by_key = {k: k.rpartition(".") for k in valid_keys()}
        beside = [leaf for above, _, leaf in by_key.values() if above == parent]
        anywhere = [leaf for _, _, leaf in by_key.values()]
        nearest = (
            [name] * (name in anywhere)
            or difflib.get_close_matches(name, beside, 1, 0.6)
            or difflib.get_close_matches(name, anywhere, 1, 0.6)
        )
        full = [k for k, (_, _, leaf) in by_key.items() if [leaf] == nearest]
        best = min(full, key=lambda k: (by_key[k][0] != parent, k.count(".")), default=None)
        best = best and best.replace("NAME", named[1] if named else "NAME")
        hint = f"; did you mean '{best}'?" if best else "; docs/config.md lists the keys"
        return f"config key '{key}' ({fault['input']!r}): unknown key{hint}"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error" and ": " in message:
        # The section's own check begins with the key inside the section.
        inner, _, reason = message.partition(": ")
        return f"config key '{key}{'.' * bool(key)}{inner}': {reason}"
    return f"config key '{key}' ({fault['input']!r}): {message}"

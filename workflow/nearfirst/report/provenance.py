"""The part of the config that made a figure, as a config that makes it again."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from nearfirst.arrange import registry
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.config import Config
from nearfirst.figures.catalogue import (
    LossTypesFigure,
    PredictionFigure,
    RewardFigure,
    TasksFigure,
)
from nearfirst.metrics import METRICS

_ALWAYS = ("corpus", "model", "template", "train")
_BY_STAGE = {
    "losses": ("evaluate",),
    "scores": ("generate", "scores"),
    "rewards": ("generate", "reward"),
}

# Of an arrangement the method is always told.
_PLAIN = {**ArrangementSettings(method="").model_dump(mode="json"), "method": None}


def made_with(config: Config, bases: Sequence[Config], name: str) -> dict[str, Any]:
    """Return what was set of all that a figure is made of.

    Parameters
    ----------
    config
        The whole config.
    bases
        What it is set over: the defaults, and its preset alone.
    name
        A figure.

    Returns
    -------
    Preset, seeds and the figure's own section whole, the arrangements that it shows, and of its
    data sets and of the stages behind it the keys that are not as in all bases. Looks, hardware
    and the paired comparison change no curve and are left out.
    """
    whole, *others = [part.model_dump(mode="json") for part in (config, *bases)]
    figure = getattr(config.figures, name)
    stages = {*_ALWAYS, *_stages(config, figure)}
    changed = _changed(whole, *others)
    datasets = _datasets(config, figure, stages)
    sections = {
        "data": {k: part for k, part in changed.get("data", {}).items() if k in datasets},
        "arrangements": {
            name: _changed(
                whole["arrangements"][name],
                _PLAIN,
                *(other["arrangements"].get(name, {}) for other in others),
            )
            for name in _arrangements(figure)
        },
        **{key: part for key, part in changed.items() if key in stages},
        "figures": {name: whole["figures"][name]},
    }
    found = {"preset": config.preset, "seeds": config.seeds, **sections}
    return {key: part for key, part in found.items() if part != {}}


def _arrangements(figure: BaseModel) -> list[str]:
    """Return the arrangements that a figure shows."""
    several: dict[str, str] | None = getattr(figure, "arrangements", None)
    return list(several.values()) if several else [getattr(figure, "arrangement")]  # noqa: B009


def _datasets(config: Config, figure: BaseModel, stages: set[str]) -> set[str]:
    """Return the data sets behind a figure, a reward model's included."""
    several: dict[str, str] | None = getattr(figure, "datasets", None)
    found = set(several.values()) if several else {getattr(figure, "dataset")}  # noqa: B009
    if "reward" in stages and config.reward.name is None:
        found.update(config.reward.preferences.datasets)
    # All instances of Flan-mini are a data set of their own, with no section.
    return {"flan" if name == "flan_full" else name for name in found}


def _stages(config: Config, figure: BaseModel) -> Iterator[str]:
    """Yield the sections of the stages behind a figure, beside those behind every one."""
    metrics = getattr(figure, "metrics", None) or [getattr(figure, "metric", "loss")]
    if isinstance(figure, RewardFigure):
        metrics = ["exact_match", "reward"]
    for metric in metrics:
        yield from _BY_STAGE[METRICS[metric].stage]
    similar = isinstance(figure, PredictionFigure) or (
        isinstance(figure, TasksFigure) and figure.quantities != ["loss"]
    )
    shown = [config.arrangements[name] for name in _arrangements(figure)]
    needs = {need for settings in shown for need in registry.needs(settings)}
    if similar or "embeddings" in needs:
        yield from ("embedding", "distance")
    if similar:
        yield "similarity"
    if isinstance(figure, PredictionFigure):
        yield "prediction"
    elif isinstance(figure, RewardFigure):
        yield "distribution"
    else:
        yield "curves"
    if isinstance(figure, LossTypesFigure):
        yield "loss_types"


def _changed(part: dict[str, Any], *bases: dict[str, Any]) -> dict[str, Any]:
    """Return the keys whose values are not those of all bases, without empty sections."""
    found = {}
    for key, value in part.items():
        others = [base.get(key) for base in bases]
        if any(other != value for other in others):
            sections = [other for other in others if isinstance(other, dict)]
            whole = not isinstance(value, dict) or len(sections) < len(others)
            found[key] = value if whole else _changed(value, *sections)
    return found

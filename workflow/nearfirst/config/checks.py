"""Names in one section of a config that refer to another: they exist, and can be used there."""

from collections.abc import Iterator
from typing import Any

from nearfirst.common.named_modules import did_you_mean
from nearfirst.config.model import Config


def find_unknown_names(config: Config) -> dict[str, str]:
    """Return a line for each key that names a row or a test set that does not exist."""
    names: dict[str, list[str]] = {
        "data set": list(config.data),
        "arrangement": list(config.arrangements),
        "representation": list(config.representations),
        "figure to compare": [n for n, f in config.figures.items() if f.kind == "arrangements"],
    }
    faults = {}
    for key, kind, name in _references(config):
        options = names[kind]
        if kind == "arrangement" and key.startswith("figures."):
            options = [*options, *config.checkpoints]
        if name not in options:
            faults[key] = (
                f"config key '{key}': there is no {kind} {name!r}; there are {', '.join(options)}"
                f"{did_you_mean(name, options)}"
            )
    rows: dict[str, Any] = {f"figures.{name}": figure for name, figure in config.figures.items()}
    for prefix, row in {**rows, "tables": config.tables}.items():
        for inner, name, split in row.splits():
            key = f"{prefix}.{inner}"
            if key not in faults and name in config.data and not config.data[name].has(split):
                test = config.data[name].test
                faults[key] = f"config key '{key}': {name} has no {split!r}; it has {test!r}"
    return faults


def find_unusable_names(config: Config) -> dict[str, str]:
    """Return a line for each row that refers to an existing row that it cannot use."""
    faults = {}
    for name, dataset in config.data.items():
        exclude = dataset.exclude
        representation = config.representations[exclude.representation]
        if exclude.near_embedding is not None and hasattr(representation, "warmup_steps"):
            faults[f"data.{name}.exclude.representation"] = (
                f"{exclude.representation!r} is warmed up on the instances that are not excluded; "
                "name one that needs no training, such as 'text'"
            )
    for name in sorted(config.checkpoints.keys() & config.arrangements.keys()):
        faults[f"checkpoints.{name}"] = "an arrangement has this name; choose another"
    for name, figure in config.figures.items():
        elsewhere = [c.arrangement for c in figure.shown() if c.arrangement in config.checkpoints]
        if elsewhere and (figure.needs_similarity() or figure.takes_jobs):
            faults[f"figures.{name}"] = (
                "it needs the data of each step, which are unknown for "
                f"{elsewhere[0]!r} of `checkpoints`"
            )
    return {key: f"config key '{key}': {fault}" for key, fault in faults.items()}


def _references(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield each key that names a row, the kind of row and the name."""
    for table in ("figures", "representations"):
        for name, row in getattr(config, table).items():
            for key, kind, target in row.references():
                yield f"{table}.{name}.{key}", kind, target
    represented: dict[str, Any] = {
        **{f"arrangements.{name}": row for name, row in config.arrangements.items()},
        **{f"data.{name}.exclude": row.exclude for name, row in config.data.items()},
        **{"explore": config.explore, "similarity": config.similarity},
    }
    for key, section in represented.items():
        yield f"{key}.representation", "representation", section.representation
    if config.order_score.dataset:
        yield "order_score.dataset", "data set", config.order_score.dataset
    for name in config.order_score.representations:
        yield "order_score.representations", "representation", name
    for name in config.evaluate.also:
        yield "evaluate.also", "data set", name
    for key, kind, name in config.tables.references():
        yield f"tables.{key}", kind, name
    for i, name in enumerate(config.reward.preferences.datasets):
        yield f"reward.preferences.datasets.{i}", "data set", name

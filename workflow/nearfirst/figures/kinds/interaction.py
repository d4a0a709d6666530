"""Orders under several conditions, such as schedules, and whether they interact."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.errors import InputError
from nearfirst.common.settings import canonical, check_once
from nearfirst.figures.figure import Caption, Contrast, Curve, Experiment, Label
from nearfirst.figures.shapes import WithReference

Curves = dict[Label, str]


class Settings(WithReference):
    """Orders under several conditions, one panel each, and their interaction."""

    kind: Literal["interaction"] = "interaction"
    caption: Caption = "Mean test {metric} on {dataset} in different orders, under each condition."
    dataset: str = Field("flan", description="Data set of the runs.")
    conditions: dict[Label, Curves] = Field(
        min_length=2,
        description="Of each condition, such as a schedule, the labels of its curves and their "
        "arrangements, of `arrangements`; the labels are the same in all.",
    )

    program: ClassVar[str] = "interaction"
    sections: ClassVar[Mapping[str, str]] = {"--settings": "curves"}

    @model_validator(mode="after")
    def _conditions_are_alike(self) -> Self:
        labels = self.orders()
        for condition, curves in self.conditions.items():
            if list(curves) != labels:
                raise ValueError(
                    f"conditions: {condition} has the labels {', '.join(curves)}, the first one "
                    f"{', '.join(labels)}"
                )
        check_once(
            "conditions", [n for curves in self.conditions.values() for n in curves.values()]
        )
        if self.reference not in labels or len(labels) < 2:
            raise ValueError(
                f"reference: {self.reference!r}: expected one of two or more labels, not "
                f"{', '.join(labels)}"
            )
        return self

    def orders(self) -> list[str]:
        """Return the labels of each condition."""
        return list(next(iter(self.conditions.values())))

    def shown(self) -> list[Curve]:
        """Return a label for each order under each condition."""
        return [
            Curve(self.label_of(condition, label), self.dataset, self.test, arrangement)
            for condition, curves in self.conditions.items()
            for label, arrangement in curves.items()
        ]

    @staticmethod
    def label_of(condition: str, order: str) -> str:
        """Return the label of an order under a condition."""
        return f"{order} ({condition})"

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        yield "dataset", "data set", self.dataset
        for condition, curves in self.conditions.items():
            for label, name in curves.items():
                yield f"conditions.{condition}.{label}", "arrangement", name

    def arguments(self, experiment: Experiment) -> dict[str, str]:
        """Return the training of each condition; raises InputError if it is not one for all."""
        found = {}
        for condition, curves in self.conditions.items():
            its = {name: experiment.training(self.dataset, name) for name in curves.values()}
            first = next(iter(its))
            for name, training in its.items():
                if training != its[first]:
                    raise InputError(
                        f"conditions.{condition}: {first} and {name} are trained differently; "
                        "give them the same steps, schedule and learning_rate in `arrangements`"
                    )
            found[condition] = its[first].model_dump(mode="json")
        return {"--training": canonical(found)}

    def contrasts(self) -> list[Contrast]:
        """Return the differences under each condition, then the differences of differences."""
        ours, found = self.reference, []
        for condition in self.conditions:
            for other in self.others():
                weights = self._difference(condition, other)
                words = f"{condition[0].upper()}{condition[1:]}, against {other}"
                found.append(Contrast(f"{ours}-{other}: {condition}", weights, words))
        for one, two in combinations(self.conditions, 2):
            for other in self.others():
                minus = {k: -v for k, v in self._difference(two, other).items()}
                weights = self._difference(one, other) | minus
                words = f"{ours} minus {other}, {one} minus {two}"
                found.append(Contrast(f"{ours}-{other}: {one} - {two}", weights, words))
        return found

    def _difference(self, condition: str, other: str) -> dict[str, float]:
        ours, theirs = (self.label_of(condition, label) for label in (self.reference, other))
        return {ours: 1, theirs: -1}

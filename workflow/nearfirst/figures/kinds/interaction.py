"""Orders under several conditions, such as schedules, and whether the two interact."""

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.errors import InputError
from nearfirst.common.settings import canonical, check_once
from nearfirst.figures.figure import Caption, Contrast, Curve, Label
from nearfirst.figures.shapes import WithReference


class Settings(WithReference):
    """Orders under several conditions, one panel each, and their interaction."""

    kind: Literal["interaction"] = "interaction"
    caption: Caption = "Mean test {metric} on {dataset} in different orders, under each condition."
    dataset: str = Field("flan", description="Data set of the runs.")
    conditions: dict[Label, dict[Label, str]] = Field(
        min_length=2,
        description="For each condition, such as a schedule, the labels of its curves and their "
        "arrangements, of `arrangements`; all conditions have the same labels.",
    )

    computing: ClassVar[str] = "interaction"
    float_format: ClassVar[str] = "%.6g"

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        labels = self.orders()
        for condition, curves in self.conditions.items():
            if list(curves) != labels:
                raise ValueError(
                    f"conditions: {condition} has the labels {', '.join(curves)}, but the first "
                    f"condition has {', '.join(labels)}"
                )
        check_once("conditions", list(chain(*(c.values() for c in self.conditions.values()))))
        if len(labels) < 2:
            raise ValueError(
                f"reference: {self.reference!r}: expected one of two or more labels, not "
                f"{', '.join(labels)}"
            )
        return self

    def orders(self) -> list[str]:
        """Return the labels of each condition."""
        return list(next(iter(self.conditions.values())))

    def shown(self) -> list[Curve]:
        """Return a label for each order under each condition, with its runs."""
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
        """Yield (key, `data set` or `arrangement`, name) for each name that the row refers to."""
        yield "dataset", "data set", self.dataset
        for condition, curves in self.conditions.items():
            for label, name in curves.items():
                yield f"conditions.{condition}.{label}", "arrangement", name

    def arguments(self, config: Any) -> dict[str, str]:
        """Return the training of each condition; raises InputError if its arrangements differ."""
        settings = {}
        for condition, curves in self.conditions.items():
            first, *others = curves.values()
            training = config.training(self.dataset, first)
            for name in others:
                if config.training(self.dataset, name) != training:
                    raise InputError(
                        f"conditions.{condition}: {first} and {name} are trained differently; "
                        "give them the same steps, schedule and learning_rate in `arrangements`"
                    )
            settings[condition] = training.model_dump(mode="json")
        return {"--training": canonical(settings)}

    def contrasts(self) -> list[Contrast]:
        """Return the differences under each condition, then the differences of differences."""
        ref, contrasts = self.reference, []
        for condition in self.conditions:
            for other in self.others():
                words = f"{condition[0].upper()}{condition[1:]}, against {other}"
                weights = self._difference(condition, other, 1)
                contrasts.append(Contrast(f"{ref}-{other}: {condition}", weights, words))
        for a, b in combinations(self.conditions, 2):
            for other in self.others():
                words = f"{ref} minus {other}, {a} minus {b}"
                weights = self._difference(a, other, 1) | self._difference(b, other, -1)
                contrasts.append(Contrast(f"{ref}-{other}: {a} - {b}", weights, words))
        return contrasts

    def _difference(self, condition: str, other: str, sign: float) -> dict[str, float]:
        label = self.label_of(condition, other)
        return {self.label_of(condition, self.reference): sign, label: -sign}

"""The arrangements of the paper, by the names that figures and paths use."""

from nearfirst.arrange.settings import ArrangementSettings

STANDARD: dict[str, ArrangementSettings] = {
    # Section 3.1
    "random": ArrangementSettings(method="random"),
    "round-robin": ArrangementSettings(method="round-robin"),
    "cluster": ArrangementSettings(method="cluster"),
    # Section 3.2
    "wsd-nearest": ArrangementSettings(method="wsd"),
    "wsd-farthest": ArrangementSettings(method="wsd", order="farthest"),
    "task-nearest": ArrangementSettings(method="wsd", granularity="task"),
    # Section 4
    "tma-nearest": ArrangementSettings(method="tma"),
    "tma-farthest": ArrangementSettings(method="tma", order="farthest"),
    # Section 4.2: as many steps as the rounds hold
    **{
        f"tma-rounds-{i}": ArrangementSettings(method="tma", rounds=(i, i + 5), steps="epoch")
        for i in range(0, 30, 5)
    },
    # Section C.3
    "budget-nearest": ArrangementSettings(method="tma", budget=30_000, steps="epoch"),
    "budget-farthest": ArrangementSettings(
        method="tma", order="farthest", budget=30_000, steps="epoch"
    ),
    "budget-random": ArrangementSettings(
        method="tma", order="random", budget=30_000, steps="epoch"
    ),
    "budget-min": ArrangementSettings(method="tma", budget=30_000, select="first", steps="epoch"),
    "budget-max": ArrangementSettings(
        method="tma", order="farthest", budget=30_000, select="last", steps="epoch"
    ),
    # Section C.4
    "transport-nearest": ArrangementSettings(method="optimal-transport"),
    "transport-farthest": ArrangementSettings(method="optimal-transport", order="farthest"),
}

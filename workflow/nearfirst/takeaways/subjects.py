"""Which runs of a config a claim is about: found by what a figure shows, never by its name."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

from pydantic import Field

from nearfirst.arrange.settings import TRAINING_KEYS, ArrangementSettings
from nearfirst.common.settings import Section
from nearfirst.figures.figure import HELD_OUT, Curve, RunId

FREE = TRAINING_KEYS | {"within_round", "farthest"}
"""Keys in which the arrangements that a pattern describes may differ."""

Config = Any
"""`nearfirst.config.Config`. It is not imported, since the programs read no config, and an edit of
what they import reruns them."""

METRIC_TABLE = "metric_stability"
"""Stands for a figure where the runs are those of the tables of metrics."""

Pattern = Mapping[str, str | EllipsisType]
"""Keys of an arrangement and their values, `...` for any but null; other keys have defaults."""


class Subject(Section):
    """What a claim is tested on: nothing, if the config has no data for it.

    `roles` are runs of all seeds, labelled with the part that they play in the claim.
    `others` holds the other orders of the figure. They take part in its comparisons, since the
    variance over seeds is pooled, so they must do so here.
    """

    claim: str
    where: str = ""
    figure: str = ""
    roles: list[Curve] = Field([])
    others: list[Curve] = Field([])
    metrics: list[str] = Field([])
    with_similarity: bool = False
    paper_steps: int | None = None

    def runs(self, config: Config) -> list[RunId]:
        """Return the runs, role by role."""
        return [
            RunId(role.dataset, role.test or "", role.arrangement, seed)
            for role in (*self.roles, *self.others)
            for seed in config.seeds_of(role.arrangement)
        ]


class Subjects(Section):
    """What all claims are tested on."""

    subjects: list[Subject]


Match = tuple[Hashable, str, list[Curve]]
"""A key that equal subjects share, the name of a figure that shows the subject, and its roles."""


@dataclass(frozen=True)
class Claim:
    """A claim of the paper and its registered test.

    Attributes
    ----------
    statement
        What must hold for the claim to be confirmed.
    find
        Yields what the claim can be tested on, from a config and the claim itself.
    test
        The name of a function in `verdicts.TESTS`, called with the `options`.
    primary
        Whether Holm's correction covers it; other rows are supplementary.
    metrics, with_similarity
        Metrics of the runs, and whether their similarity to the test set is needed too.
    """

    name: str
    takeaway: int
    statement: str
    find: Callable[[Config, "Claim"], Iterator[Match]]
    test: str
    options: Mapping[str, Any] = field(default_factory=dict)
    primary: bool = True
    metrics: tuple[str, ...] = ("loss",)
    with_similarity: bool = False


def each_curve(config: Config, claim: Claim, kind: str, or_table: bool = False) -> Iterator[Match]:
    """Yield each curve of the figures of a kind that show the claim's metrics.

    With `or_table`, the runs of the tables of metrics will do if there is none.
    """
    shown = [
        (name, curve)
        for name, figure in config.figures.items()
        if figure.kind == kind and {*claim.metrics} <= {*figure.metric_names()}
        for curve in figure.shown()
    ]
    table = config.tables.metrics
    if not shown and or_table and {*claim.metrics} <= {*table.metrics}:
        shown = [(METRIC_TABLE, curve) for curve in table.shown()]
    for name, curve in shown:
        roles = [_role("run", curve, config)]
        yield _key(roles), name, roles


def all_curves(
    config: Config, claim: Claim, kind: str, several_tests: bool = False
) -> Iterator[Match]:
    """Yield the curves of each figure of a kind together, or only if of several test sets.

    Of several figures with the same data and test sets, one will do.
    """
    for name, figure in config.figures.items():
        curves = figure.shown() if figure.kind == kind else []
        tests = sorted({curve.test or "" for curve in curves})
        if len(tests if several_tests else curves) > 1:
            roles = [
                _role(f"{c.label} on {c.test}" if several_tests else c.label, c, config)
                for c in curves
            ]
            yield (roles[0].dataset, *tests), name, roles


def metric_table(config: Config, claim: Claim) -> Iterator[Match]:
    """Yield the runs of the tables of metrics, all data sets together."""
    table = config.tables.metrics
    if {*claim.metrics} <= {*table.metrics}:
        roles = [_role(curve.label, curve, config) for curve in table.shown()]
        yield _key(roles), METRIC_TABLE, roles


def orders(
    config: Config, claim: Claim, roles: Mapping[str, Pattern], held_out: bool | None = None
) -> Iterator[Match]:
    """Yield arrangements of one data set, trained alike and measured on one test set.

    `roles` has the name of each in words, and the pattern that it must fit; `held_out` says whether
    the test set is of held-out conversations or of unseen tasks, None for either. Matches are those
    within single figures or, if there are none, those across figures. Within a figure the roles are
    followed by its other orders, whose role has no name.
    """
    curves = list(_loss_curves(config, claim.with_similarity))
    for within_figure in (True, False):
        groups: dict[Hashable, list[tuple[str, Curve]]] = {}
        for name, curve in curves:
            if held_out in (None, curve.test == HELD_OUT):
                train = config.training(curve.dataset, curve.arrangement)
                alike = (*curve[1:3], train.schedule, train.learning_rate)
                groups.setdefault((within_figure and name, *alike), []).append((name, curve))
        matches = [_match(group, roles, config, within_figure) for group in groups.values()]
        if any(matches):
            yield from filter(None, matches)
            return


def _match(
    curves: list[tuple[str, Curve]],
    patterns: Mapping[str, Pattern],
    config: Config,
    with_others: bool,
) -> Match | None:
    roles, figures = [], []
    for role, pattern in patterns.items():
        for name, curve in curves:
            if fits(config.arrangements[curve.arrangement], pattern):
                roles.append(_role(role, curve, config))
                figures.append(name)
                break
        else:
            return None
    # The same runs on a second test set add little.
    key = tuple((role.label, role.dataset, role.arrangement) for role in roles)
    taken = {role.arrangement for role in roles}
    if with_others:
        others = [curve for _, curve in curves if curve.arrangement not in taken]
        roles += [_role("", curve, config) for curve in others]
    return key, ", ".join(dict.fromkeys(figures)), roles


def rounds(config: Config, claim: Claim) -> Iterator[Match]:
    """Yield all buckets of rounds of TMA in each figure, nearest first."""
    groups: dict[Hashable, list[tuple[tuple[int, int], str, Curve]]] = {}
    for name, curve in _loss_curves(config):
        row = config.arrangements[curve.arrangement]
        if fits(row, {"method": "tma", "rounds": ...}):
            groups.setdefault((name, *curve[1:3]), []).append((row.rounds, name, curve))
    for buckets in groups.values():
        if len(buckets) > 1:
            roles = [_role(curve.label, curve, config) for _, _, curve in sorted(buckets)]
            yield _key(roles), buckets[0][1], roles


def subjects_of(claim: Claim, config: Config) -> list[Subject]:
    """Return what a claim can be tested on in a config; without data, one empty subject."""
    subjects: dict[Hashable, Subject] = {}
    for key, figure, roles in claim.find(config, claim):
        data_format = getattr(config.data[roles[0].dataset], "format", "")
        subject = Subject(
            claim=claim.name,
            where=_where(roles, config),
            figure=figure,
            roles=[role for role in roles if role.label],
            others=[role for role in roles if not role.label],
            metrics=list(claim.metrics),
            with_similarity=claim.with_similarity,
            paper_steps=config.takeaways.paper_steps_of(data_format),
        )
        subjects.setdefault(key, subject)
    return list(subjects.values()) or [Subject(claim=claim.name)]


def fits(row: ArrangementSettings, pattern: Pattern) -> bool:
    """Return whether an arrangement fits a pattern, with defaults for the keys it does not name."""
    if row.method != pattern["method"] or row.exact_budget() is not None:
        return False
    defaults: dict[str, Any] = {
        key: field.get_default(call_default_factory=True)
        for key, field in type(row).model_fields.items()
    }
    return all(
        getattr(row, key) is not None if expected is ... else getattr(row, key) == expected
        for key, expected in (defaults | dict(pattern)).items()
        if key not in FREE
    )


def _loss_curves(config: Config, with_similarity: bool = False) -> Iterator[tuple[str, Curve]]:
    """Yield figures and their loss curves with named test sets, or only those with similarities.

    Losses on test sets of other data sets are left out.
    """
    for name, figure in config.figures.items():
        if "loss" not in figure.metric_names():
            continue
        if with_similarity and not figure.needs_similarity():
            continue
        for curve in figure.shown():
            curve = _role(curve.label, curve, config)
            if "." not in (curve.test or ""):
                yield name, curve


def _role(name: str, curve: Curve, config: Config) -> Curve:
    """Return the runs that a curve shows, with their role in a claim and their test set by name."""
    return curve._replace(label=name, test=curve.test or config.test_of(curve.dataset))


def _key(roles: Iterable[Curve]) -> Hashable:
    return tuple(role[1:] for role in roles)


def _where(roles: list[Curve], config: Config) -> str:
    """Return the data sets, followed by training settings that are not the default."""
    parts = [", ".join(dict.fromkeys(role.dataset for role in roles))]
    train, default = config.training(roles[0].dataset, roles[0].arrangement), config.train
    if train.schedule != default.schedule:
        parts.append(f"{train.schedule} schedule")
    if train.learning_rate != default.learning_rate:
        parts.append(f"rate {train.learning_rate:g}")
    return ", ".join(parts)

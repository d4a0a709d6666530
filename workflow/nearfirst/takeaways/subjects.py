"""Which runs of a config a claim is about: found by what a figure shows, never by its name."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Protocol

from pydantic import Field

from nearfirst.arrange.settings import OF_TRAINING, ArrangementSettings
from nearfirst.common.settings import Section
from nearfirst.figures.figure import HELD_OUT, Curve, RunId

FREE = OF_TRAINING | {"within_round", "farthest"}
"""Keys of an arrangement in which its variants may differ without being about something else."""

Config = Any
"""`nearfirst.config.Config`. Not by its name: the programs read no config, and what they import is
what they rerun for."""

METRIC_TABLE = "metric_stability"
"""What shows the runs of the tables of metrics."""

Pattern = Mapping[str, str | EllipsisType]
"""Keys of an arrangement and their values, `...` any but null; all others have their defaults."""


class Role(Section):
    """Runs of all seeds, by the part that they play in a claim."""

    role: str
    dataset: str
    test: str
    arrangement: str


class Subject(Section):
    """What a claim is tested on; nothing, and the reason, where the config has no data for it.

    `beside` are the other orders that the figure shows: it pools the variance over seeds of all its
    comparisons, so the page does, too.
    """

    claim: str
    where: str = ""
    figure: str = ""
    roles: list[Role] = Field([])
    beside: list[Role] = Field([])
    metrics: list[str] = Field([])
    similar: bool = False
    paper_steps: int | None = None
    missing: str = ""

    def runs(self, config: Config) -> list[RunId]:
        """Return the runs, role by role."""
        return [
            RunId(its.dataset, its.test, its.arrangement, seed)
            for its in (*self.roles, *self.beside)
            for seed in config.seeds_of(its.arrangement)
        ]


class Needs(Protocol):
    """The data that a claim needs."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of the runs."""

    @property
    def similar(self) -> bool:
        """Whether it needs their similarity to the test set."""

    @property
    def words(self) -> str:
        """What it needs, after "no figure ..."."""

    def find(self, config: Config) -> Iterator[tuple[Hashable, str, list[Role]]]:
        """Yield what is the same for equal subjects, a figure that shows one, and its roles."""


@dataclass(frozen=True)
class EachCurve:
    """Each curve of the figures of a kind that show these metrics.

    Attributes
    ----------
    or_table
        Whether the runs of the tables of metrics will do where there is no such figure.
    """

    kind: str
    metrics: tuple[str, ...]
    or_table: bool = False
    similar: bool = False

    @property
    def words(self) -> str:
        """What it needs."""
        return f"of kind '{self.kind}' shows {' and '.join(self.metrics)}"

    def find(self, config: Config) -> Iterator[tuple[Hashable, str, list[Role]]]:
        """Yield every curve."""
        shown = [
            (name, curve)
            for name, figure in config.figures.items()
            if figure.kind == self.kind and {*self.metrics} <= {*figure.metric_names()}
            for curve in figure.shown()
        ]
        table = config.tables.metrics
        if not shown and self.or_table and {*self.metrics} <= {*table.metrics}:
            shown = [(METRIC_TABLE, curve) for curve in table.shown()]
        for name, curve in shown:
            roles = [_role("run", curve, config)]
            yield _key(roles), name, roles


@dataclass(frozen=True)
class AllCurves:
    """All curves of a figure of a kind together, of several test sets if that is asked for."""

    kind: str
    metrics: tuple[str, ...] = ("loss",)
    similar: bool = False
    several_tests: bool = False

    @property
    def words(self) -> str:
        """What it needs."""
        return f"of kind '{self.kind}' has several {'test sets' * self.several_tests or 'curves'}"

    def find(self, config: Config) -> Iterator[tuple[Hashable, str, list[Role]]]:
        """Yield every such figure; of those with equal data and test sets one."""
        for name, figure in config.figures.items():
            curves = figure.shown() if figure.kind == self.kind else []
            tests = sorted({curve.test or "" for curve in curves})
            if len(tests) > 1 if self.several_tests else len(curves) > 1:
                roles = [
                    _role(f"{c.label} on {c.test}" if self.several_tests else c.label, c, config)
                    for c in curves
                ]
                yield (roles[0].dataset, *tests), name, roles


@dataclass(frozen=True)
class MetricTable:
    """The runs of the tables of metrics, by data set."""

    metrics: tuple[str, ...]
    similar: bool = False

    @property
    def words(self) -> str:
        """What it needs."""
        return f"or table has {' and '.join(self.metrics)} of one run"

    def find(self, config: Config) -> Iterator[tuple[Hashable, str, list[Role]]]:
        """Yield the data sets of the tables, which have rows of their own only together."""
        table = config.tables.metrics
        if {*self.metrics} <= {*table.metrics}:
            roles = [_role(curve.label, curve, config) for curve in table.shown()]
            yield _key(roles), METRIC_TABLE, roles


@dataclass(frozen=True)
class Orders:
    """Arrangements of one data set with one test set, trained alike.

    Attributes
    ----------
    roles
        The name of each in words, and what it must be.
    held_out
        Whether the test set is of held-out conversations, or of unseen tasks; None: either.
    """

    roles: Mapping[str, Pattern]
    held_out: bool | None = None
    metrics: tuple[str, ...] = ("loss",)
    similar: bool = False

    @property
    def words(self) -> str:
        """What it needs."""
        on = {None: "", True: " on held-out conversations", False: " on unseen tasks"}
        loss = "loss and similarity" if self.similar else "loss"
        return f"shows the {loss} of {' and '.join(self.roles)}{on[self.held_out]}"

    def find(self, config: Config) -> Iterator[tuple[Hashable, str, list[Role]]]:
        """Yield what one figure shows or, if none shows all roles, what several do.

        Of one figure the roles are followed by the other orders that it shows, without a name.
        """
        curves = list(_losses(config, self.similar))
        for apart in (True, False):
            groups: dict[Hashable, list[tuple[str, Curve]]] = {}
            for name, curve in curves:
                if self.held_out in (None, curve.test == HELD_OUT):
                    its = config.training(curve.dataset, curve.arrangement)
                    key = (apart and name, *curve[1:3], its.schedule, its.learning_rate)
                    groups.setdefault(key, []).append((name, curve))
            matches = (self._match(its, config, apart) for its in groups.values())
            found = list(filter(None, matches))
            if found:
                yield from found
                return

    def _match(
        self, curves: list[tuple[str, Curve]], config: Config, with_others: bool
    ) -> tuple[Hashable, str, list[Role]] | None:
        roles, figures = [], []
        for role, pattern in self.roles.items():
            for name, curve in curves:
                if fits(config.arrangements[curve.arrangement], pattern):
                    roles.append(_role(role, curve, config))
                    figures.append(name)
                    break
            else:
                return None
        # The same runs on a second test set say little more.
        key = tuple((its.role, its.dataset, its.arrangement) for its in roles)
        taken = {its.arrangement for its in roles}
        if with_others:
            others = [curve for _, curve in curves if curve.arrangement not in taken]
            roles += [_role("", curve, config) for curve in others]
        return key, ", ".join(dict.fromkeys(figures)), roles


@dataclass(frozen=True)
class Rounds:
    """All buckets of rounds of TMA that a figure shows, nearest first."""

    metrics: tuple[str, ...] = ("loss",)
    similar: bool = False
    words: str = "shows the loss of several buckets of rounds of TMA"

    def find(self, config: Config) -> Iterator[tuple[Hashable, str, list[Role]]]:
        """Yield the buckets of each figure."""
        pattern: Pattern = {"method": "tma", "rounds": ...}
        groups: dict[Hashable, list[tuple[tuple[int, int], str, Curve]]] = {}
        for name, curve in _losses(config):
            row = config.arrangements[curve.arrangement]
            if fits(row, pattern):
                bucket = (row.model_dump()["rounds"], name, curve)
                groups.setdefault((name, *curve[1:3]), []).append(bucket)
        for buckets in groups.values():
            if len(buckets) > 1:
                roles = [_role(curve.label, curve, config) for _, _, curve in sorted(buckets)]
                yield _key(roles), buckets[0][1], roles


def subjects_of(claim: str, needs: Needs, config: Config) -> list[Subject]:
    """Return what a claim can be tested on in a config: one subject at least, be it missing."""
    found: dict[Hashable, Subject] = {}
    for key, figure, roles in needs.find(config):
        form = getattr(config.data[roles[0].dataset], "format", "")
        subject = Subject(
            claim=claim,
            where=_where(roles, config),
            figure=figure,
            roles=[its for its in roles if its.role],
            beside=[its for its in roles if not its.role],
            metrics=list(needs.metrics),
            similar=needs.similar,
            paper_steps=config.takeaways.paper_steps_of(form),
        )
        found.setdefault(key, subject)
    missing = Subject(claim=claim, missing=f"no figure of this config {needs.words}")
    return list(found.values()) or [missing]


def fits(row: ArrangementSettings, pattern: Pattern) -> bool:
    """Return whether an arrangement is what a pattern says, and else its method's default."""
    if row.method != pattern["method"] or row.exactly() is not None:
        return False
    defaults: dict[str, Any] = {
        key: field.get_default(call_default_factory=True)
        for key, field in type(row).model_fields.items()
    }
    return all(
        getattr(row, key) is not None if wanted is ... else getattr(row, key) == wanted
        for key, wanted in (defaults | dict(pattern)).items()
        if key not in FREE
    )


def _losses(config: Config, similar: bool = False) -> Iterator[tuple[str, Curve]]:
    """Yield figures and their curves of losses, test sets named; those with similarity only.

    Losses on test sets of other data sets are left out.
    """
    for name, figure in config.figures.items():
        if "loss" not in figure.metric_names():
            continue
        measured = {run[:3] for run in figure.similarities(config)}
        for curve in figure.shown():
            its = curve._replace(test=curve.test or config.test_of(curve.dataset))
            if "." not in its.test and (not similar or its[1:] in measured):
                yield name, its


def _role(role: str, curve: Curve, config: Config) -> Role:
    test = curve.test or config.test_of(curve.dataset)
    return Role(role=role, dataset=curve.dataset, test=test, arrangement=curve.arrangement)


def _key(roles: Iterable[Role]) -> Hashable:
    return tuple((its.dataset, its.test, its.arrangement) for its in roles)


def _where(roles: Iterable[Role], config: Config) -> str:
    """Return the data sets, and how the runs are trained if not like most."""
    parts = [", ".join(dict.fromkeys(its.dataset for its in roles))]
    first = next(iter(roles))
    its, usual = config.training(first.dataset, first.arrangement), config.train
    if its.schedule != usual.schedule:
        parts.append(f"{its.schedule} schedule")
    if its.learning_rate != usual.learning_rate:
        parts.append(f"rate {its.learning_rate:g}")
    return ", ".join(parts)

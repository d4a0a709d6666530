# Which runs are behind each figure and table, and how they are named on the command line.
from nearfirst.figures.catalogue import (
    ArrangementsFigure,
    DatasetsFigure,
    LossTypesFigure,
    MetricsFigure,
    MetricTablesSettings,
    PredictionFigure,
    RewardFigure,
    TasksFigure,
)
from nearfirst.metrics import METRICS

FIGURES = CONFIG.figures


def of(*kinds):
    """Return the figures of some kinds by name."""
    return {name: row for name, row in FIGURES.items() if isinstance(row, kinds)}


CURVES = of(ArrangementsFigure, DatasetsFigure, MetricsFigure)
# An arrangement alone is drawn, and there is nothing to compare it with.
COMPARED = [name for name, row in of(ArrangementsFigure).items() if len(row.curves) > 1]
OF_TASKS = of(TasksFigure)
TABLES = [
    *("table4", "leakage", "generalization", "comparisons"),
    *("metric_stability", "metric_tasks"),
]
if CONFIG.reward.name is None:
    TABLES.append("reward_accuracy")


def measured(metric, dataset, test, arrangement, seed):
    """Return the tables of a metric of a run on one test set, segment by segment."""
    run = f"results/{METRICS[metric].stage}/{dataset}/{test}/{arrangement}/seed-{seed}"
    return [
        f"{run}/{segment}.parquet" for segment in CONFIG.segments(dataset, arrangement)
    ]


def runs(figure):
    """Return (label, dataset, test, arrangement, seed) of every run behind a figure."""
    if isinstance(figure, ArrangementsFigure):
        test = CONFIG.data[figure.dataset].test
        curves = [(k, figure.dataset, test, a) for k, a in figure.curves.items()]
    elif isinstance(figure, MetricTablesSettings):
        curves = [
            (k, d, figure.test, figure.arrangement) for k, d in figure.datasets.items()
        ]
    elif isinstance(figure, (DatasetsFigure, LossTypesFigure)):
        curves = [
            (k, d, figure.test, figure.arrangement) for k, d in figure.curves.items()
        ]
    elif isinstance(figure, (MetricsFigure, RewardFigure)):
        curves = [(figure.dataset, figure.dataset, figure.test, figure.arrangement)]
    else:
        tests = figure.tests if isinstance(figure, TasksFigure) else [figure.test]
        curves = [
            (k, figure.dataset, test, a)
            for test in tests
            for k, a in figure.curves.items()
        ]
    return [(*curve, seed) for curve in curves for seed in CONFIG.seeds_of(curve[-1])]


def metrics_of(figure):
    """Return the metrics that a figure shows: of one axis, so of tables of one stage."""
    return getattr(figure, "metrics", None) or [getattr(figure, "metric", "loss")]


def figure_tables(wildcards):
    figure = FIGURES[wildcards.figure]
    return [
        path
        for _, *run in runs(figure)
        for path in measured(metrics_of(figure)[0], *run)
    ]


def run_flags(wildcards):
    """Return `--run LABEL SEED FILE…` of every run."""
    figure = FIGURES[wildcards.figure]
    return " ".join(flags_of(figure, "--run", metrics_of(figure)[0]))


def metric_flags(wildcards):
    """Return which columns of the tables are looked at."""
    return f"--metric {' '.join(metrics_of(FIGURES[wildcards.figure]))}"


def flags_of(figure, flag, metric):
    """Return `FLAG LABEL SEED FILE…` of every run behind a figure or table."""
    return [
        f"{flag} {quote(label)} {run[-1]} {' '.join(measured(metric, *run))}"
        for label, *run in runs(figure)
    ]


def by(wildcards):
    """Return what differs between the curves of a figure."""
    kinds = {DatasetsFigure: "dataset", MetricsFigure: "metric"}
    return kinds.get(type(FIGURES[wildcards.figure]), "arrangement")


def reference(wildcards):
    return quote(FIGURES[wildcards.figure].reference)


def similarity_runs(figure):
    """Return the runs whose similarity a figure looks at, and the table of each."""
    if getattr(figure, "quantities", None) == ["loss"]:
        return []
    return [
        (run, "results/similarity/{1}/{2}/{3}/seed-{4}.parquet".format(*run))
        for run in runs(figure)
    ]


def figure_similarities(wildcards):
    return [path for _, path in similarity_runs(FIGURES[wildcards.figure])]


def test_run_flags(wildcards):
    """Return `--run LABEL SEED TEST FILE…` of every run, and the same with `--similarity`."""
    figure = FIGURES[wildcards.figure]
    of_losses = [(run, " ".join(measured("loss", *run[1:]))) for run in runs(figure)]
    flags = (("--run", of_losses), ("--similarity", similarity_runs(figure)))
    return " ".join(
        f"{flag} {quote(label)} {seed} {test} {paths}"
        for flag, given in flags
        for (label, _, test, _, seed), paths in given
    )


def task_flags(wildcards):
    """Return the flags that say what of which tasks a figure shows."""
    figure = OF_TASKS[wildcards.figure]
    count, offset, of = figure.pick
    tasks = (
        f"--tasks {' '.join(map(quote, figure.tasks))}"
        if figure.tasks
        else f"--pick {count} --offset {offset} --of {of}"
    )
    return f"{tasks} --quantities {' '.join(figure.quantities)} --panel {figure.panels}"


def plot_flags(wildcards):
    """Return how a figure is drawn."""
    figure = FIGURES[wildcards.figure]
    if isinstance(figure, PredictionFigure):
        return "--kind correlations"
    if isinstance(figure, RewardFigure):
        return "--kind distribution"
    if isinstance(figure, LossTypesFigure):
        return "--series task"
    return f"--series {by(wildcards)}"


def paired(wildcards):
    """Return the comparison that belongs to a figure: not drawn, but no figure should lack it."""
    return (
        f"results/{wildcards.figure}_paired.csv" if wildcards.figure in COMPARED else []
    )


def generalization_runs():
    """Return (figure, label, run) of the runs that generalization.csv lists."""
    return [
        (name, label, run)
        for name in CONFIG.tables.generalization
        for label, *run in runs(FIGURES[name])
    ]


def generalization_tables(wildcards):
    metric = CONFIG.generalization.metric
    return [
        path for _, _, run in generalization_runs() for path in measured(metric, *run)
    ]


def generalization_flags(wildcards):
    metric = CONFIG.generalization.metric
    return " ".join(
        f"--run {name} {quote(label)} {run[-1]} {' '.join(measured(metric, *run))}"
        for name, label, run in generalization_runs()
    )


def judged_tables(wildcards):
    """Return the scores and rewards behind a figure that tells right answers from wrong ones."""
    figure = FIGURES[wildcards.figure]
    return [
        path
        for _, *run in runs(figure)
        for metric in ("exact_match", "reward")
        for path in measured(metric, *run)
    ]


def judged_flags(wildcards):
    figure = FIGURES[wildcards.figure]
    scores = flags_of(figure, "--scores", "exact_match")
    return " ".join([*scores, *flags_of(figure, "--rewards", "reward")])


def metric_tables(wildcards):
    """Return the tables of all metrics of the runs that the tables of metrics hold."""
    table = CONFIG.tables.metrics
    paths = [
        path
        for metric in table.metrics
        for _, *run in runs(table)
        for path in measured(metric, *run)
    ]
    # The scores stand in one table.
    return list(dict.fromkeys(paths))


def metric_run_flags(wildcards):
    """Return `--run METRIC LABEL SEED FILE…` of every metric and run."""
    table = CONFIG.tables.metrics
    return " ".join(
        flag
        for metric in table.metrics
        for flag in flags_of(table, f"--run {metric}", metric)
    )


# Unseen tasks leak only from training tasks, whether Table 4 counts these or not.
SPLITS = {
    "table4": CONFIG.tables.table4.splits,
    "leakage": {
        dataset: list(dict.fromkeys(["train", *splits]))
        for dataset, splits in CONFIG.tables.table4.splits.items()
    },
}


def split_tables(table):
    """Return the instance tables of a table's splits."""
    return [
        f"results/instances/{dataset}/{split}.parquet"
        for dataset, splits in SPLITS[table].items()
        for split in splits
    ]


def split_flags(table):
    """Return `--split DATASET SPLIT FILE` of every split."""
    return " ".join(
        f"--split {dataset} {split} results/instances/{dataset}/{split}.parquet"
        for dataset, splits in SPLITS[table].items()
        for split in splits
    )

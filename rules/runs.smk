# Which runs are behind each figure and table, and how they are named on the command line.
from nearfirst.settings.figures import (
    ArrangementsFigure,
    DatasetsFigure,
    LossTypesFigure,
    PredictionFigure,
    TasksFigure,
)

FIGURES = CONFIG.figures
CURVES = {**FIGURES.of(ArrangementsFigure), **FIGURES.of(DatasetsFigure)}
# An arrangement alone is drawn, and there is nothing to compare it with.
COMPARED = [
    name
    for name, figure in FIGURES.of(ArrangementsFigure).items()
    if len(figure.arrangements) > 1
]
OF_TASKS = FIGURES.of(TasksFigure)
PLOTTED = list(type(FIGURES).model_fields)


def seeds(arrangement):
    """Return the seeds of an arrangement's runs: where no seed changes the order, one will do."""
    seeded = arrangements.is_seeded(CONFIG.arrangements[arrangement])
    return CONFIG.seeds if seeded else CONFIG.seeds[:1]


def losses(dataset, test, arrangement, seed):
    """Return the loss tables of a run on one test set, segment by segment."""
    run = f"results/losses/{dataset}/{test}/{arrangement}/seed-{seed}"
    return [f"{run}/{segment}.parquet" for segment in segments(dataset, arrangement)]


def runs(figure):
    """Return (label, dataset, test, arrangement, seed) of every run behind a figure."""
    if isinstance(figure, ArrangementsFigure):
        test = DATASETS[figure.dataset].test
        curves = [(k, figure.dataset, test, a) for k, a in figure.arrangements.items()]
    elif isinstance(figure, (DatasetsFigure, LossTypesFigure)):
        curves = [
            (k, d, figure.test, figure.arrangement) for k, d in figure.datasets.items()
        ]
    else:
        tests = figure.tests if isinstance(figure, TasksFigure) else [figure.test]
        curves = [
            (k, figure.dataset, test, a)
            for test in tests
            for k, a in figure.arrangements.items()
        ]
    return [(*curve, seed) for curve in curves for seed in seeds(curve[-1])]


def figure_losses(wildcards):
    return [
        path
        for _, *run in runs(getattr(FIGURES, wildcards.figure))
        for path in losses(*run)
    ]


def run_flags(wildcards):
    """Return `--run LABEL SEED FILE…` of every run."""
    return " ".join(
        f"--run {quote(label)} {run[-1]} {' '.join(losses(*run))}"
        for label, *run in runs(getattr(FIGURES, wildcards.figure))
    )


def by(wildcards):
    """Return what differs between the curves of a figure."""
    by_dataset = isinstance(getattr(FIGURES, wildcards.figure), DatasetsFigure)
    return "dataset" if by_dataset else "arrangement"


def reference(wildcards):
    return quote(getattr(FIGURES, wildcards.figure).reference)


def similarity_runs(figure):
    """Return the runs whose similarity a figure looks at, and the table of each."""
    if getattr(figure, "quantities", None) == ["loss"]:
        return []
    return [
        (run, "results/similarity/{1}/{2}/{3}/seed-{4}.parquet".format(*run))
        for run in runs(figure)
    ]


def figure_similarities(wildcards):
    return [path for _, path in similarity_runs(getattr(FIGURES, wildcards.figure))]


def test_run_flags(wildcards):
    """Return `--run LABEL SEED TEST FILE…` of every run, and the same with `--similarity`."""
    figure = getattr(FIGURES, wildcards.figure)
    of_losses = [(run, " ".join(losses(*run[1:]))) for run in runs(figure)]
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
    figure = getattr(FIGURES, wildcards.figure)
    if isinstance(figure, PredictionFigure):
        return "--kind correlations"
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
        for label, *run in runs(getattr(FIGURES, name))
    ]


def generalization_losses(wildcards):
    return [path for _, _, run in generalization_runs() for path in losses(*run)]


def generalization_flags(wildcards):
    return " ".join(
        f"--run {name} {quote(label)} {run[-1]} {' '.join(losses(*run))}"
        for name, label, run in generalization_runs()
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

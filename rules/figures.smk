# From losses, scores and rewards to numbers, and from numbers to pictures. Drawing is a separate
# rule, so that a change of look recomputes nothing.
import json

from nearfirst.figures.registry import KINDS
from nearfirst.report.caption import caption

FIGURES = CONFIG.figures
COMPARED = [name for name, figure in FIGURES.items() if figure.contrasts()]


def kind_files(
    kind,
):
    """Return the files of a kind of figure."""
    return modules_of(KINDS.module(kind).__file__)


def figure_tables(
    wildcards,
):
    """Return the tables that a figure needs: metrics of its runs, and their similarity."""
    figure = FIGURES[wildcards.figure]
    runs = figure.runs(CONFIG)
    similarities = runs if figure.needs_similarity() else []
    tables = tables_of(runs, figure.metric_names())
    return [*tables, *map(similarity_table, similarities)]


# Rows as JSON keep the order of their labels, which legends and tables follow.
def figure_row(
    wildcards,
):
    """Return the row of a figure without its heading, and with its caption completed."""
    figure = FIGURES[wildcards.figure]
    row = figure.model_copy(update={"caption": caption(figure, CONFIG)})
    return row.model_dump_json(exclude={"section"})


def jobs_of(
    figure,
):
    """Return the benchmark files of each arrangement's selection and training, for its first seed.

    They are not inputs, so that a deleted one does not start a training.
    """
    folder, jobs = f"{RESULTS}/benchmarks", {}
    for _, name, _, arrangement in figure.shown():
        row, seed = CONFIG.arrangements[arrangement], CONFIG.seeds_of(arrangement)[0]
        run, query = f"{name}_{arrangement}_seed-{seed}", CONFIG.data[name].arranged_for
        selection = [f"{folder}/arrange/{run}.tsv"]
        if "embeddings" in row.all_needs():
            embedding = f"{row.representation}_{name}"
            for split in ("train", query):
                selection.append(f"{folder}/embed/{embedding}_{split}_*-of-*.tsv")
            if CONFIG.data[name].keep_distances:
                selection.append(f"{folder}/distances/{embedding}_{query}.tsv")
            if hasattr(CONFIG.representations[row.representation], "warmup_steps"):
                selection.append(f"{folder}/warm_up/{embedding}_*.tsv")
        training = [f"{folder}/train/{run}_*.tsv"]
        jobs[arrangement] = {"selection": selection, "training": training}
    return json.dumps(jobs)


def figure_flags(
    wildcards,
):
    """Return the flags for the sections of the config that a figure's numbers depend on."""
    figure = FIGURES[wildcards.figure]
    flags = figure.arguments(CONFIG)
    for name in figure.sections:
        flags[f"--{name.replace('_', '-')}"] = settings(name)(wildcards)
    if figure.takes_jobs:
        test = figure.test or CONFIG.data[figure.dataset].test
        flags["--test"] = f"{RESULTS}/instances/{figure.dataset}/{test}.parquet"
        flags["--jobs"] = jobs_of(figure)
    return " ".join(f"{flag} {quote(value)}" for flag, value in flags.items())


def files_of_kind(
    wildcards,
):
    """Return the files of a figure's kind."""
    return kind_files(FIGURES[wildcards.figure].kind)


def figure_numbers(
    wildcards,
):
    """Return the part of a figure's row that its numbers depend on."""
    return json.dumps(FIGURES[wildcards.figure].numbers())


# One rule for each module that computes numbers, which several kinds of figure may share.
for computing in sorted({figure.computing for figure in FIGURES.values()}):
    rows = {k: row for k, row in FIGURES.items() if row.computing == computing}
    endings = sorted({end for row in rows.values() for end in row.extra_outputs})

    rule:
        name:
            computing
        input:
            **code("figure_numbers.py"),
            tables=figure_tables,
            # An edit to a kind reruns only its figures.
            kind=files_of_kind,
            computing=modules_of(f"{LIBRARY}/nearfirst/figures/{computing}.py"),
        output:
            *(f"<results>/{{figure}}{end}" for end in endings),
            table="<results>/{figure}.csv",
        log:
            f"<results>/logs/{computing}/{{figure}}.log",
        wildcard_constraints:
            figure="|".join(map(re.escape, rows)),
        conda:
            "../envs/figures.yaml"
        resources:
            **asks(4000, 30),
        params:
            tables=tables_flag,
            figure=figure_numbers,
            flags=figure_flags,
        message:
            f"{computing}: numbers of {{wildcards.figure}}"
        shell:
            "python {input.script} {params.tables} --figure {params.figure:q} {params.flags}"
            " --output {output.table} --log {log}"


rule compare:
    """Compare the figure's reference with its other arrangements, in numbers and in words."""
    input:
        **code("compare.py"),
        tables=figure_tables,
        kind=files_of_kind,
    output:
        table=in_report("<results>/{figure}_paired.csv", "paired"),
        summary="<results>/{figure}_paired.txt",
    log:
        "<results>/logs/compare/{figure}.log",
    wildcard_constraints:
        figure="|".join(map(re.escape, COMPARED)),
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(4000, 30),
    params:
        tables=tables_flag,
        figure=figure_numbers,
        settings=settings("comparison"),
        weighting=CONFIG.curves.weighting,
    message:
        "compare the curves of {wildcards.figure}"
    shell:
        "python {input.script} {params.tables} --figure {params.figure:q}"
        " --settings {params.settings:q} --weighting {params.weighting}"
        " --output {output.table} --summary {output.summary}"
        " --log {log}"


rule plot:
    """Draw a figure and write its caption."""
    input:
        **code("plot.py"),
        table="<results>/{figure}.csv",
        # Not drawn, but not `ancient` either: if its job has to run again, Snakemake would then not
        # make a missing figure.
        paired=lambda wildcards: (
            f"{RESULTS}/{wildcards.figure}_paired.csv"
            if wildcards.figure in COMPARED
            else []
        ),
        # If a curve starts from one of the base models.
        skills=lambda wildcards: (
            []
            if {curve.arrangement for curve in FIGURES[wildcards.figure].shown()}
            <= CONFIG.checkpoints.keys()
            else BASE_SKILLS
        ),
        kind=files_of_kind,
        drawing=lambda wildcards: modules_of(
            f"{LIBRARY}/nearfirst/figures/plot/{FIGURES[wildcards.figure].drawing}.py"
        ),
    output:
        figure="<results>/{figure}.pdf",
        picture=report(
            "<results>/{figure}.svg",
            caption="../report/figure.rst",
            category=lambda wildcards: FIGURES[wildcards.figure].heading(),
            labels={"figure": "{figure}"},
        ),
        caption="<results>/{figure}.txt",
        record="<results>/{figure}.yaml",
    log:
        "<results>/logs/plot/{figure}.log",
    wildcard_constraints:
        figure="|".join(map(re.escape, FIGURES)),
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(1000, 10),
    params:
        figure=figure_row,
        look=settings("look"),
        record=record,
    message:
        "plot {wildcards.figure}"
    shell:
        "python {input.script} {input.table} --figure {params.figure:q} --look {params.look:q}"
        " --output {output.figure} --picture {output.picture} --caption {output.caption}"
        " --config {params.record:q} --record {output.record} --log {log}"

# Tables beside the figures.
TABLES = [
    *("table4", "leakage", "generalization", "comparisons"),
    *("metric_stability", "metric_tasks"),
]
if BASE_SKILLS:
    TABLES.append("base_skills")
if CONFIG.reward.name is None:
    TABLES.append("reward_accuracy")


def table4_splits(
    *others,
):
    """Return the splits of Table 4, and other splits of each of its data sets."""
    return [
        f"<results>/instances/{dataset}/{split}.parquet"
        for dataset, splits in CONFIG.tables.table4.splits.items()
        for split in dict.fromkeys([*others, *splits])
    ]


rule table4:
    """Count the tasks and instances of every split, and compare them with the paper's."""
    input:
        **code("table4.py"),
        instances=table4_splits(),
    output:
        in_report("<results>/table4.csv"),
    log:
        "<results>/logs/table4.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(2000, 10),
    params:
        settings=settings("tables.table4"),
    message:
        "table4: tasks and instances of every split"
    shell:
        "python {input.script} {input.instances} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule leakage:
    """List the unseen tasks that share a source with a training task."""
    input:
        **code("leakage.py"),
        instances=table4_splits("train"),
    output:
        in_report("<results>/leakage.csv"),
    log:
        "<results>/logs/leakage.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(2000, 10),
    message:
        "leakage: unseen tasks whose source was trained on"
    shell:
        "python {input.script} {input.instances} --output {output} --log {log}"


def generalization_tables(
    wildcards,
):
    runs = [
        run
        for name in CONFIG.tables.generalization
        for run in FIGURES[name].runs(CONFIG)
    ]
    return tables_of(runs, [CONFIG.generalization.metric])


def generalization_kinds(
    wildcards,
):
    """Return the files of the figures' kinds, by which the program finds their runs."""
    kinds = {FIGURES[name].kind for name in CONFIG.tables.generalization}
    return sorted(
        {file for k in kinds for file in modules_of(KINDS.module(k).__file__)}
    )


rule generalization:
    """Find the first checkpoint at which each run does well enough on the unseen tasks."""
    input:
        **code("generalization.py"),
        tables=generalization_tables,
        kinds=generalization_kinds,
    output:
        in_report("<results>/generalization.csv"),
    log:
        "<results>/logs/generalization.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(4000, 30),
    params:
        tables=tables_flag,
        figures=lambda wildcards: json.dumps(
            {name: FIGURES[name].numbers() for name in CONFIG.tables.generalization}
        ),
        settings=settings("generalization"),
    message:
        "generalization: when each run first does well enough"
    shell:
        "python {input.script} {params.tables} --figures {params.figures:q}"
        " --settings {params.settings:q} --output {output} --log {log}"


for table, section in (("metric_stability", "stability"), ("metric_tasks", "curves")):

    rule:
        name:
            table
        input:
            **code(f"{table}.py"),
            tables=lambda wildcards: tables_of(
                CONFIG.tables.metrics.runs(CONFIG), CONFIG.tables.metrics.metrics
            ),
        output:
            in_report(f"<results>/{table}.csv"),
        log:
            f"<results>/logs/{table}.log",
        conda:
            "../envs/figures.yaml"
        resources:
            **asks(4000, 30),
        params:
            tables=tables_flag,
            runs=lambda wildcards: CONFIG.tables.metrics.model_dump_json(),
            settings=settings(section),
        message:
            f"{table} of the runs of Figure 1"
        shell:
            "python {input.script} {params.tables} --runs {params.runs:q}"
            " --settings {params.settings:q} --output {output} --log {log}"


rule comparisons:
    """Join the comparisons of all figures, and correct over all of them."""
    input:
        **code("comparisons.py"),
        tables=expand("<results>/{figure}_paired.csv", figure=COMPARED),
    output:
        in_report("<results>/comparisons.csv"),
    log:
        "<results>/logs/comparisons.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(1000, 10),
    message:
        "comparisons of all figures"
    shell:
        "python {input.script} {input.tables} --output {output} --log {log}"

# Tables beside the figures.


def table4_splits(
    *others,
):
    """Return the splits of Table 4, and other splits of each of its data sets."""
    return [
        f"<results>/instances/{dataset}/{split}.parquet"
        for dataset, splits in CONFIG.tables.table4.splits.items()
        for split in dict.fromkeys([*others, *splits])
    ]


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
    return sorted({file for kind in kinds for file in kind_files(kind)})


def metric_tables(
    wildcards,
):
    """Return the results from which the tables of metrics are made."""
    table = CONFIG.tables.metrics
    return tables_of(table.runs(CONFIG), table.metrics)


def as_flags(
    values,
):
    """Return flags for a command line, as a function like `settings`."""
    text = " ".join(f"{flag} {quote(value)}" for flag, value in values.items())
    return lambda wildcards: text


GENERALIZATION = {
    "--figures": json.dumps(
        {name: FIGURES[name].numbers() for name in CONFIG.tables.generalization}
    ),
    "--settings": CONFIG.generalization.canonical(),
}
METRIC_RUNS = CONFIG.tables.metrics.model_dump_json()
# What each table is made from, and the flags of its program.
MADE_FROM = {
    "table4": (table4_splits(), {"--settings": CONFIG.tables.table4.canonical()}),
    "leakage": (table4_splits("train"), {}),
    "generalization": (generalization_tables, GENERALIZATION),
    "comparisons": (expand("<results>/{figure}_paired.csv", figure=COMPARED), {}),
    "metric_stability": (
        metric_tables,
        {"--runs": METRIC_RUNS, "--settings": CONFIG.stability.canonical()},
    ),
    "metric_tasks": (
        metric_tables,
        {"--runs": METRIC_RUNS, "--settings": CONFIG.curves.canonical()},
    ),
}
TABLES = [*MADE_FROM]
if BASE_SKILLS:
    TABLES.append("base_skills")
if CONFIG.reward.name is None:
    TABLES.append("reward_accuracy")

for table, (sources, flags) in MADE_FROM.items():

    rule:
        name:
            table
        input:
            **code(f"{table}.py"),
            tables=sources,
            kinds=generalization_kinds if table == "generalization" else [],
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
            flags=as_flags(flags),
        message:
            f"the table {table}"
        shell:
            "python {input.script} {params.tables} {params.flags} --output {output} --log {log}"

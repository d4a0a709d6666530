# Tables that stand beside the figures.


rule table4:
    """Count the tasks and instances of every split, and hold them against the paper's."""
    input:
        instances=split_tables("table4"),
        script=script("table4.py"),
        library=library("table4.py"),
    output:
        in_report("results/table4.csv"),
    log:
        "results/logs/table4.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        splits=split_flags("table4"),
        settings=settings("tables.table4"),
    shell:
        "python {input.script} {params.splits} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule leakage:
    """List the unseen tasks whose source a training task has too."""
    input:
        instances=split_tables("leakage"),
        script=script("leakage.py"),
        library=library("leakage.py"),
    output:
        in_report("results/leakage.csv"),
    log:
        "results/logs/leakage.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        splits=split_flags("leakage"),
    shell:
        "python {input.script} {params.splits} --output {output} --log {log}"


rule generalization:
    """Find the first checkpoint at which each run does well enough on the unseen tasks."""
    input:
        tables=generalization_tables,
        script=script("generalization.py"),
        library=library("generalization.py"),
    output:
        in_report("results/generalization.csv"),
    log:
        "results/logs/generalization.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("generalization"),
        runs=generalization_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule metric_stability:
    """Say of each metric how noisy it is, and when it has made most of its way."""
    input:
        tables=metric_tables,
        script=script("metric_stability.py"),
        library=library("metric_stability.py"),
    output:
        in_report("results/metric_stability.csv"),
    log:
        "results/logs/metric_stability.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("stability"),
        runs=metric_run_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule metric_tasks:
    """Average each metric over the instances of each unseen task."""
    input:
        tables=metric_tables,
        script=script("metric_tasks.py"),
        library=library("metric_tasks.py"),
    output:
        in_report("results/metric_tasks.csv"),
    log:
        "results/logs/metric_tasks.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("curves"),
        runs=metric_run_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule comparisons:
    """Join the comparisons of all figures, and correct over them all."""
    input:
        tables=expand("results/{figure}_paired.csv", figure=COMPARED),
        script=script("comparisons.py"),
        library=library("comparisons.py"),
    output:
        in_report("results/comparisons.csv"),
    log:
        "results/logs/comparisons.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        tables=" ".join(
            f"--paired {name} results/{name}_paired.csv" for name in COMPARED
        ),
    shell:
        "python {input.script} {params.tables} --output {output} --log {log}"

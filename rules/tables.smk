# Tables that stand beside the figures.


rule table4:
    """Count the tasks and instances of every split, and hold them against the paper's."""
    input:
        instances=split_tables("table4"),
        script=script("table4.py"),
        library=library("table4.py"),
    output:
        "results/table4.csv",
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
        "results/leakage.csv",
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
        losses=generalization_losses,
        script=script("generalization.py"),
        library=library("generalization.py"),
    output:
        "results/generalization.csv",
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

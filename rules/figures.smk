# From losses, scores and rewards to numbers, and from numbers to pictures: the rule that draws is
# one of its own, so that looks recompute nothing.


rule curves:
    """Average a metric of runs, or several, into curves with intervals."""
    input:
        tables=figure_tables,
        script=script("curves.py"),
        library=library("curves.py"),
    output:
        "results/{figure}.csv",
    log:
        "results/logs/curves/{figure}.log",
    wildcard_constraints:
        figure="|".join(CURVES),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("curves"),
        by=by,
        runs=run_flags,
        metrics=metric_flags,
    shell:
        "python {input.script} {params.runs} --by {params.by} {params.metrics}"
        " --settings {params.settings:q} --output {output} --log {log}"


rule reward_distribution:
    """Hold the rewards of right answers against those of wrong ones."""
    input:
        tables=judged_tables,
        script=script("reward_distribution.py"),
        library=library("reward_distribution.py"),
    output:
        "results/{figure}.csv",
    log:
        "results/logs/reward_distribution/{figure}.log",
    wildcard_constraints:
        figure="|".join(of(RewardFigure)),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("distribution"),
        runs=judged_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule task_curves:
    """Average the losses of single tasks, with how similar the data seen so far are to them."""
    input:
        losses=figure_tables,
        similarities=figure_similarities,
        script=script("task_curves.py"),
        library=library("task_curves.py"),
    output:
        "results/{figure}.csv",
    log:
        "results/logs/task_curves/{figure}.log",
    wildcard_constraints:
        figure="|".join(OF_TASKS),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("curves"),
        tasks=task_flags,
        runs=test_run_flags,
    shell:
        "python {input.script} {params.runs} {params.tasks} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule loss_types:
    """Sort unseen tasks by the way their loss falls."""
    input:
        losses=figure_tables,
        script=script("loss_types.py"),
        library=library("loss_types.py"),
    output:
        curves="results/{figure}.csv",
        types="results/{figure}_tasks.csv",
    log:
        "results/logs/loss_types/{figure}.log",
    wildcard_constraints:
        figure="|".join(of(LossTypesFigure)),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("loss_types"),
        curves=settings("curves"),
        runs=run_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --curves {params.curves:q} --types {output.types} --output {output.curves} --log {log}"


rule prediction:
    """Correlate each measure of similarity with loss."""
    input:
        losses=figure_tables,
        similarities=figure_similarities,
        script=script("prediction.py"),
        library=library("prediction.py"),
    output:
        "results/{figure}.csv",
    log:
        "results/logs/prediction/{figure}.log",
    wildcard_constraints:
        figure="|".join(of(PredictionFigure)),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("prediction"),
        curves=settings("curves"),
        runs=test_run_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --curves {params.curves:q} --output {output} --log {log}"


rule compare:
    """Compare the figure's reference with its other arrangements, in numbers and in words."""
    input:
        tables=figure_tables,
        script=script("compare.py"),
        library=library("compare.py"),
    output:
        table=in_report("results/{figure}_paired.csv", "paired"),
        summary="results/{figure}_paired.txt",
    log:
        "results/logs/compare/{figure}.log",
    wildcard_constraints:
        figure="|".join(COMPARED),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("comparison"),
        reference=reference,
        runs=run_flags,
        metrics=metric_flags,
    shell:
        "python {input.script} {params.runs} --reference {params.reference} {params.metrics}"
        " --settings {params.settings:q} --output {output.table} --summary {output.summary}"
        " --log {log}"


rule plot:
    """Draw a figure and write its caption."""
    input:
        table="results/{figure}.csv",
        # Not drawn, so its age does not matter.
        paired=ancient(paired),
        script=script("plot.py"),
        library=library("plot.py"),
    output:
        figure="results/{figure}.pdf",
        picture=report(
            "results/{figure}.svg",
            caption="../report/figure.rst",
            category=heading,
            labels=shows,
        ),
        caption="results/{figure}.txt",
        record="results/{figure}.yaml",
    log:
        "results/logs/plot/{figure}.log",
    wildcard_constraints:
        figure="|".join(map(re.escape, FIGURES)),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        look=settings("look"),
        kind=plot_flags,
        made_with=made,
    shell:
        "python {input.script} --table {input.table} --name {wildcards.figure} {params.kind}"
        " --look {params.look:q} --output {output.figure} --picture {output.picture}"
        " --caption {output.caption} --made-with {params.made_with:q} --record {output.record}"
        " --log {log}"

# From losses to numbers, and from numbers to pictures: two rules, so that looks recompute nothing.


rule curves:
    """Average the losses of runs into curves with intervals."""
    input:
        losses=figure_losses,
        script=script("curves.py"),
        library=library("curves.py"),
    output:
        "results/{figure}.csv",
    log:
        "results/logs/curves/{figure}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("curves"),
        runs=run_flags,
    shell:
        "python {input.script} {params.runs} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule compare:
    """Compare the figure's reference with its other arrangements, in pairs."""
    input:
        losses=figure_losses,
        script=script("compare.py"),
        library=library("compare.py"),
    output:
        "results/{figure}_paired.csv",
    log:
        "results/logs/compare/{figure}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=settings("comparison"),
        reference=reference,
        runs=run_flags,
    shell:
        "python {input.script} {params.runs} --reference {params.reference}"
        " --settings {params.settings:q} --output {output} --log {log}"


rule plot:
    """Draw a figure."""
    input:
        table="results/{figure}.csv",
        # Not drawn, so its age does not matter; asked for here, so that no figure lacks it.
        paired=ancient("results/{figure}_paired.csv"),
        script=script("plot.py"),
        library=library("plot.py"),
    output:
        "results/{figure}.pdf",
    log:
        "results/logs/plot/{figure}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        look=settings("look"),
    shell:
        "python {input.script} --table {input.table} --look {params.look:q}"
        " --output {output} --log {log}"

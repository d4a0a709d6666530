# ROUGE and Exact Match of the answers.


rule score:
    """Hold the answers against their references: ROUGE and Exact Match."""
    input:
        unpack(score_files),
        generations=rules.generate.output,
        instances="results/instances/{dataset}/{test}.parquet",
        script=script("score.py"),
        library=library("score.py"),
    output:
        f"results/scores/{TESTED_SEGMENT}.parquet",
    log:
        f"results/logs/score/{TESTED_LOG}.log",
    benchmark:
        f"results/benchmarks/score/{TESTED_LOG}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        settings=settings("scores"),
        model=score_flags,
    shell:
        "python {input.script} --generations {input.generations} --instances {input.instances}"
        " {params.model} --settings {params.settings:q} --output {output} --log {log}"

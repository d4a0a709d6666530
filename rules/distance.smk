# How far every training instance is from every test instance.


rule distances:
    """Compute the distance matrix and a summary a training point."""
    input:
        train="results/embeddings/{dataset}/train.parquet",
        test="results/embeddings/{dataset}/test.parquet",
        script=script("distances.py"),
        library=library("distances.py"),
    output:
        matrix="results/distances/{dataset}/matrix.npy",
        points="results/distances/{dataset}/points.parquet",
    log:
        "results/logs/distances/{dataset}.log",
    benchmark:
        "results/benchmarks/distances/{dataset}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.distance.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=settings("distance"),
    shell:
        "python {input.script} --train {input.train} --test {input.test}"
        " --settings {params.settings:q} --matrix {output.matrix} --points {output.points}"
        " --log {log}"

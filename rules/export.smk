# The order to take home: the training data of a run, for any trainer.


rule export:
    """Write the training instances in their order, with their distances to the test set."""
    input:
        arrangement=first_order,
        instances="results/instances/{dataset}/train.parquet",
        train="results/embeddings/{dataset}/train.parquet",
        test=own_test("embeddings"),
        script=script("export.py"),
        library=library("export.py"),
    output:
        jsonl="results/arranged/{dataset}/{arrangement}.jsonl",
        parquet="results/arranged/{dataset}/{arrangement}.parquet",
    log:
        "results/logs/export/{dataset}_{arrangement}.log",
    benchmark:
        "results/benchmarks/export/{dataset}_{arrangement}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        measure=CONFIG.distance.measure,
    shell:
        "python {input.script} --arrangement {input.arrangement} --instances {input.instances}"
        " --train {input.train} --test {input.test} --measure {params.measure} --threads {threads}"
        " --jsonl {output.jsonl} --parquet {output.parquet} --log {log}"

# How far every training instance is from every test instance.


rule distances:
    """Compute the distance matrix and a summary a training point."""
    input:
        train="results/embeddings/{dataset}/train.parquet",
        test="results/embeddings/{dataset}/{test}.parquet",
        script=script("distances.py"),
        library=library("distances.py"),
    output:
        matrix="results/distances/{dataset}/{test}/matrix.npy",
        points="results/distances/{dataset}/{test}/points.parquet",
    log:
        "results/logs/distances/{dataset}_{test}.log",
    benchmark:
        "results/benchmarks/distances/{dataset}_{test}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=settings("distance"),
    shell:
        "python {input.script} --train {input.train} --test {input.test}"
        " --settings {params.settings:q} --threads {threads} --matrix {output.matrix} --points {output.points}"
        " --log {log}"


def checkpoint_flags(wildcards):
    """Return the flags that say at which points of an arrangement there are checkpoints."""
    train = CONFIG.training(wildcards.dataset, wildcards.arrangement)
    return (
        f"--steps {train.steps} --batch-size {train.batch_size}"
        f" --checkpoint-every {train.checkpoint_every}"
    )


rule similarity:
    """Follow how similar the data seen so far are to each unseen task, in one run's order."""
    input:
        train_instances="results/instances/{dataset}/train.parquet",
        test_instances="results/instances/{dataset}/{test}.parquet",
        train_embeddings="results/embeddings/{dataset}/train.parquet",
        test_embeddings="results/embeddings/{dataset}/{test}.parquet",
        arrangement="results/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
        script=script("similarity.py"),
        library=library("similarity.py"),
    output:
        "results/similarity/{dataset}/{test}/{arrangement}/seed-{seed}.parquet",
    log:
        "results/logs/similarity/{dataset}_{test}_{arrangement}_seed-{seed}.log",
    benchmark:
        "results/benchmarks/similarity/{dataset}_{test}_{arrangement}_seed-{seed}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=settings("similarity"),
        checkpoints=checkpoint_flags,
    shell:
        "python {input.script} --train-instances {input.train_instances}"
        " --test-instances {input.test_instances} --train-embeddings {input.train_embeddings}"
        " --test-embeddings {input.test_embeddings} --arrangement {input.arrangement}"
        " {params.checkpoints} --settings {params.settings:q} --threads {threads}"
        " --output {output} --log {log}"

# Distances between training and test instances, and how they change during a run.


rule distances:
    """Compute the distance matrix."""
    input:
        **code("distances.py"),
        train="<results>/embeddings/{representation}/{dataset}/train.parquet",
        test="<results>/embeddings/{representation}/{dataset}/{test}.parquet",
    output:
        "<results>/distances/{representation}/{dataset}/{test}/matrix.npy",
    log:
        "<results>/logs/distances/{representation}_{dataset}_{test}.log",
    benchmark:
        "<results>/benchmarks/distances/{representation}_{dataset}_{test}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        **asks(4000, 60),
    params:
        measure=CONFIG.distance.measure,
    message:
        "distances of {wildcards.dataset} to {wildcards.test}: {wildcards.representation}"
    shell:
        "python {input.script} --train {input.train} --test {input.test}"
        " --measure {params.measure} --threads {threads} --matrix {output} --log {log}"


def checkpoint_flags(
    wildcards,
):
    """Return the flags that place the checkpoints of a run."""
    train = CONFIG.training(wildcards.dataset, wildcards.arrangement)
    return (
        f"--steps {train.steps} --epochs {train.epochs} --batch-size {train.batch_size}"
        f" --checkpoint-every {train.checkpoint_every}"
    )


rule similarity:
    """Measure how similar the data seen at each checkpoint are to each test task."""
    input:
        unpack(
            lambda wildcards: embeddings_of(
                CONFIG.similarity, wildcards.dataset, wildcards.test
            )
        ),
        **code("similarity.py"),
        train_instances="<results>/instances/{dataset}/train.parquet",
        test_instances="<results>/instances/{dataset}/{test}.parquet",
        arrangement="<results>/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
    output:
        "<results>/similarity/{dataset}/{test}/{arrangement}/seed-{seed}.parquet",
    log:
        "<results>/logs/similarity/{dataset}_{test}_{arrangement}_seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/similarity/{dataset}_{test}_{arrangement}_seed-{seed}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        **asks(4000, 60),
    params:
        settings=settings("similarity", {"representation"}),
        checkpoints=checkpoint_flags,
    message:
        "similarity of {wildcards.dataset} to {wildcards.test} along "
        "{wildcards.arrangement}, seed {wildcards.seed}"
    shell:
        "python {input.script} --train-instances {input.train_instances}"
        " --test-instances {input.test_instances} --train-embeddings {input.train}"
        " --test-embeddings {input.test} --arrangement {input.arrangement}"
        " {params.checkpoints} --settings {params.settings:q} --threads {threads}"
        " --output {output} --log {log}"

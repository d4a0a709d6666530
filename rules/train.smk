# Instruction tuning, cut into segments: one is evaluated while the next is trained.


localrules:
    wait_for_evaluation,


def evaluated_before(
    wildcards,
):
    """Return the losses for which a segment waits, if checkpoints are not kept.

    They belong to the segment before last, on the data set's own test set: a run never has
    checkpoints of more than two segments, however long its evaluations wait in a queue.

    A segment that is trained has nothing to wait for. A file that is missing then takes the job out
    of the DAG, for its mark is there. If the job ran, Snakemake would not look at what comes after
    the segment, and make no missing or outdated result of it: its mark is `ancient` to the training.
    """
    mark, trained = (
        f"{RESULTS}/{kind}/{SEGMENT}".format(**wildcards)
        for kind in ("evaluated", "checkpoints")
    )
    if os.path.exists(mark) and os.path.exists(trained):
        return f"{mark}.trained"
    if CONFIG.keep_checkpoints:
        return []
    dataset, arrangement = wildcards.dataset, wildcards.arrangement
    losses = measured(
        "loss", dataset, CONFIG.data[dataset].test, arrangement, wildcards.seed
    )
    segment = f"{wildcards.start}-{wildcards.stop}"
    return losses[CONFIG.segments(dataset, arrangement).index(segment) - 2]


rule wait_for_evaluation:
    """Hold a segment back until the segment before last is evaluated and may be deleted."""
    input:
        losses=evaluated_before,
    output:
        touch(f"<results>/evaluated/{SEGMENT}"),
    message:
        "wait_for_evaluation: {wildcards.dataset}, {wildcards.arrangement}, seed "
        "{wildcards.seed}; steps {wildcards.start} to {wildcards.stop} may begin"


def state_before(
    wildcards,
):
    """Return the state left by the segment before; the first segment has none."""
    dataset, arrangement = wildcards.dataset, wildcards.arrangement
    for segment in CONFIG.segments(dataset, arrangement):
        if segment.endswith(f"-{wildcards.start}"):
            return f"{RESULTS}/states/{dataset}/{arrangement}/seed-{wildcards.seed}/{segment}"
    return []


def evaluated_mark(
    wildcards,
):
    """Return the mark file of `wait_for_evaluation`; the first two segments need none."""
    names = CONFIG.segments(wildcards.dataset, wildcards.arrangement)
    segment = f"{wildcards.start}-{wildcards.stop}"
    return f"{RESULTS}/evaluated/{SEGMENT}" if segment in names[2:] else []


rule train:
    """Train one segment of a run and keep its checkpoints."""
    input:
        **code("train.py"),
        instances="<results>/instances/{dataset}/train.parquet",
        arrangement="<results>/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
        model=model_files,
        state=state_before,
        # An older mark is fine: a segment that is already trained need not wait.
        evaluated=ancient(evaluated_mark),
    output:
        checkpoints=(
            directory(f"<results>/checkpoints/{SEGMENT}")
            if CONFIG.keep_checkpoints
            else temp(directory(f"<results>/checkpoints/{SEGMENT}"))
        ),
        state=temp(directory(f"<results>/states/{SEGMENT}")),
    log:
        "<results>/logs/train/{dataset}_{arrangement}_seed-{seed}_{start}-{stop}.log",
    benchmark:
        "<results>/benchmarks/train/{dataset}_{arrangement}_seed-{seed}_{start}-{stop}.tsv"
    conda:
        "../envs/train.yaml"
    # For each process.
    threads: CONFIG.train.threads * CONFIG.hardware.train.gpus
    resources:
        **asks_gpus(CONFIG.hardware.train),
        # Unlike threads, not limited to the cores of the submit host.
        cpus_per_task=CONFIG.train.threads * CONFIG.hardware.train.gpus,
    params:
        settings=lambda wildcards: (
            CONFIG.training(wildcards.dataset, wildcards.arrangement).canonical()
        ),
        template=settings("template"),
        model=model_flag,
        base=base_state,
        # Snakemake does not record objects: other hardware reruns nothing.
        hardware=CONFIG.hardware.train,
        tracking=tracking,
    message:
        "train {wildcards.dataset}, {wildcards.arrangement}, seed "
        "{wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " {params.model} --instances {input.instances}"
        " --arrangement {input.arrangement} --seed {wildcards.seed}"
        " --stop {wildcards.stop} --state-before {input.state}"
        " --settings {params.settings:q}"
        " --template {params.template:q} --hardware {params.hardware:q}"
        " --tracking {params.tracking:q}"
        " --checkpoints {output.checkpoints} --state {output.state} --log {log}"


def warm_up_before(
    wildcards,
):
    """Return the state left by the segment before; the first segment has none."""
    segments = warm_up_segments(wildcards)
    before = segments[: segments.index(f"{wildcards.start}-{wildcards.stop}")]
    return f"{warm_up_run(wildcards)}/{before[-1]}/state" if before else []


use rule train as warm_up with:
    input:
        **code("train.py"),
        instances="<results>/instances/{dataset}/train.parquet",
        arrangement="<results>/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
        model=model_files,
        state=warm_up_before,
    output:
        checkpoints=directory(f"<results>/{WARM_UP}/{{start}}-{{stop}}/checkpoints"),
        state=directory(f"<results>/{WARM_UP}/{{start}}-{{stop}}/state"),
    log:
        "<results>/logs/warm_up/{representation}_{dataset}_{arrangement}_seed-{seed}_{start}-{stop}.log",
    benchmark:
        "<results>/benchmarks/warm_up/{representation}_{dataset}_{arrangement}_seed-{seed}_{start}-{stop}.tsv"
    params:
        settings=lambda wildcards: CONFIG.warm_up(wildcards.representation).canonical(),
    message:
        "warm_up for {wildcards.representation} of {wildcards.dataset}, steps {wildcards.start} to "
        "{wildcards.stop}"

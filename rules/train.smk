# Instruction tuning, cut into segments: the evaluation of one runs beside the training of the next.

SEGMENT = "{dataset}/{arrangement}/seed-{seed}/{start}-{stop}"
SEGMENTS = [
    f"{start}-{'end' if stop is None else stop}"
    for start, stop in CONFIG.train.segments()
]
# Read by the shell command when a job runs, so that another machine reruns nothing.
TRAIN_HARDWARE = settings("hardware.train")
LAUNCHER = "python"
if CONFIG.hardware.train.gpus > 1:
    LAUNCHER = f"torchrun --standalone --nproc-per-node {CONFIG.hardware.train.gpus}"


def state_before(wildcards):
    """Return the state that the segment before leaves; the first segment has none."""
    for segment in SEGMENTS:
        if segment.endswith(f"-{wildcards.start}"):
            run = f"{wildcards.dataset}/{wildcards.arrangement}/seed-{wildcards.seed}"
            return f"results/states/{run}/{segment}"
    return []


def segment_flags(wildcards):
    """Return the flags that say which steps to train, and from which state."""
    stop = "" if wildcards.stop == "end" else f" --stop {wildcards.stop}"
    before = state_before(wildcards)
    return f"--start {wildcards.start}{stop}" + (
        f" --state-before {before}" if before else ""
    )


rule train:
    """Train one segment of a run and keep its checkpoints."""
    input:
        instances="results/instances/{dataset}/train.parquet",
        arrangement="results/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
        model=model_files,
        state=state_before,
        script=script("train.py"),
        library=library("train.py"),
    output:
        checkpoints=(
            directory(f"results/checkpoints/{SEGMENT}")
            if CONFIG.keep_checkpoints
            else temp(directory(f"results/checkpoints/{SEGMENT}"))
        ),
        state=temp(directory(f"results/states/{SEGMENT}")),
    log:
        "results/logs/train/{dataset}_{arrangement}_seed-{seed}_{start}-{stop}.log",
    benchmark:
        "results/benchmarks/train/{dataset}_{arrangement}_seed-{seed}_{start}-{stop}.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.train.threads
    resources:
        gpu=CONFIG.hardware.train.gpus,
        mem_mb=CONFIG.hardware.train.memory_mb,
        runtime=CONFIG.hardware.train.minutes,
    params:
        settings=settings("train"),
        template=settings("template"),
        model=model_flags(),
        segment=segment_flags,
    shell:
        "{LAUNCHER} {input.script} {params.model} --instances {input.instances}"
        " --arrangement {input.arrangement} {params.segment} --settings {params.settings:q}"
        " --template {params.template:q} --hardware {TRAIN_HARDWARE:q}"
        " --checkpoints {output.checkpoints} --state {output.state} --log {log}"

# Tasks of lm-evaluation-harness, for metrics `lm_eval:TASK`.
from nearfirst.model import fingerprint


rule harness:
    """Put a task of lm-evaluation-harness to the checkpoints of one segment."""
    input:
        checkpoints=checkpoints_of,
        model=model_files,
        include=CONFIG.harness.include or [],
        script=script("harness.py"),
        library=library("harness.py"),
    output:
        f"<results>/lm_eval/{{task}}/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/harness/{{task}}_{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/harness/{{task}}_{TESTED_LOG}.tsv"
    wildcard_constraints:
        task="[^/]+",
    # Before further training: then checkpoints that are not kept can go.
    priority: 1
    conda:
        "../envs/harness.yaml"
    threads: CONFIG.harness.threads
    resources:
        gpu=CONFIG.hardware.evaluate.gpus,
        nodes=1,
        mem_mb=growing(CONFIG.hardware.evaluate.memory_mb),
        runtime=growing(CONFIG.hardware.evaluate.minutes),
    params:
        settings=settings("harness"),
        model=model_flag,
        # Snakemake looks at a folder's time alone.
        state=(
            fingerprint.digest(fingerprint.files(Path(CONFIG.harness.include)))
            if CONFIG.harness.include
            else None
        ),
    message:
        "harness: {wildcards.task} after {wildcards.dataset}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " {params.model} --task {wildcards.task} --checkpoints {input.checkpoints}"
        " --dataset {wildcards.dataset} --test {wildcards.test}"
        " --settings {params.settings:q} --output {output} --log {log}"

# Tasks of lm-evaluation-harness, for the metrics `lm_eval:TASK`.

# The user's folder holds tasks and their data.
all_files = lambda folder: filter(Path.is_file, folder.rglob("*"))


rule harness:
    """Evaluate a task of lm-evaluation-harness at the checkpoints of one segment."""
    input:
        **code("harness.py"),
        checkpoints=checkpoints_of,
        before=checkpoints_before,
        model=model_files,
    output:
        f"<results>/lm_eval/{{task}}/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/harness/{{task}}_{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/harness/{{task}}_{TESTED_LOG}.tsv"
    wildcard_constraints:
        task="[^/]+",
    # Before further training, so that temporary checkpoints can be deleted.
    priority: 1
    conda:
        "../envs/harness.yaml"
    threads: CONFIG.harness.threads
    resources:
        **asks_gpus(CONFIG.hardware.evaluate),
    params:
        settings=settings("harness"),
        model=model_flag,
        base=base_state,
        average=CONFIG.evaluate.average,
        tasks=lambda wildcards: (
            state_of(CONFIG.harness.include, all_files)
            if CONFIG.harness.include
            else None
        ),
    message:
        "harness: {wildcards.task} after {wildcards.dataset}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " {params.model} --task {wildcards.task}"
        " --checkpoints {input.checkpoints} --before {input.before} --average {params.average}"
        " --dataset {wildcards.dataset} --test {wildcards.test}"
        " --settings {params.settings:q} --output {output} --log {log}"

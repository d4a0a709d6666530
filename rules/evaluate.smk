# Loss of every test instance at every checkpoint.


rule evaluate:
    """Evaluate the checkpoints of one segment."""
    input:
        instances="<results>/instances/{dataset}/{test}.parquet",
        checkpoints=f"<results>/checkpoints/{SEGMENT}",
        model=model_files,
        script=script("evaluate.py"),
        library=library("evaluate.py"),
    output:
        f"<results>/losses/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/evaluate/{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/evaluate/{TESTED_LOG}.tsv"
    # Before further training: then checkpoints that are not kept can go.
    priority: 1
    conda:
        "../envs/train.yaml"
    threads: CONFIG.evaluate.threads
    resources:
        gpu=CONFIG.hardware.evaluate.gpus,
        mem_mb=growing(CONFIG.hardware.evaluate.memory_mb),
        runtime=growing(CONFIG.hardware.evaluate.minutes),
    params:
        settings=settings("evaluate"),
        template=settings("template"),
        model=model_flag,
    message:
        "evaluate {wildcards.dataset} on {wildcards.test}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python {input.script} {params.model} --instances {input.instances}"
        " --checkpoints {input.checkpoints} --settings {params.settings:q}"
        " --template {params.template:q} --output {output} --log {log}"

# Answers of every checkpoint, kept so that a new metric needs no new generation.


rule generate:
    """Answer the test instances with the checkpoints of one segment."""
    input:
        **code("generate.py"),
        instances="<results>/instances/{dataset}/{test}.parquet",
        checkpoints=checkpoints_of,
        before=checkpoints_before,
        model=model_files,
    output:
        f"<results>/generations/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/generate/{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/generate/{TESTED_LOG}.tsv"
    # Before further training, so that checkpoints that are not kept can be deleted.
    priority: 1
    conda:
        "../envs/train.yaml"
    threads: CONFIG.generate.threads
    resources:
        **asks_gpus(CONFIG.hardware.generate),
    params:
        settings=settings("generate"),
        template=settings("template"),
        model=model_flag,
        base=base_state,
        average=CONFIG.evaluate.average,
        # Snakemake does not record objects, so another batch size reruns nothing.
        hardware=CONFIG.hardware.generate,
    message:
        "generate answers: {wildcards.dataset} on {wildcards.test}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " {params.model} --instances {input.instances}"
        " --checkpoints {input.checkpoints} --before {input.before} --average {params.average}"
        " --seed {wildcards.seed} --batch-size {params.hardware.batch_size} --settings {params.settings:q}"
        " --template {params.template:q} --output {output} --log {log}"

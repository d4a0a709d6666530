# Instruction tuning, cut into segments: the evaluation of one runs beside the training of the next.


localrules:
    room,


rule room:
    """Hold a segment back until there is room for its checkpoints."""
    input:
        evaluated=evaluated_before,
    output:
        touch(f"results/room/{SEGMENT}"),


rule train:
    """Train one segment of a run and keep its checkpoints."""
    input:
        instances="results/instances/{dataset}/train.parquet",
        arrangement="results/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
        model=model_files(),
        state=state_before,
        # An older mark will do: what is trained needs no room.
        room=ancient(room_before),
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
        mem_mb=growing(CONFIG.hardware.train.memory_mb),
        runtime=growing(CONFIG.hardware.train.minutes),
    params:
        settings=train_settings,
        template=settings("template"),
        model=model_flag,
        segment=segment_flags,
        # An object is no recorded param: another machine reruns nothing.
        hardware=CONFIG.hardware.train,
    shell:
        "python {input.script} {params.model} --instances {input.instances}"
        " --arrangement {input.arrangement} {params.segment} --settings {params.settings:q}"
        " --template {params.template:q} --hardware {params.hardware:q}"
        " --checkpoints {output.checkpoints} --state {output.state} --log {log}"

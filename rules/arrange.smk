# The order in which training instances are seen: the one thing that differs between runs.


rule arrange:
    """Order the training instances."""
    input:
        unpack(arrange_files),
        script=script("arrange.py"),
        library=library("arrange.py"),
    output:
        "results/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
    log:
        "results/logs/arrange/{dataset}_{arrangement}_seed-{seed}.log",
    benchmark:
        "results/benchmarks/arrange/{dataset}_{arrangement}_seed-{seed}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        flags=arrange_flags,
    shell:
        "python {input.script} {params.flags} --seed {wildcards.seed} --threads {threads}"
        " --output {output} --log {log}"

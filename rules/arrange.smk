# The order in which training instances are seen: the one thing that differs between runs.


def arrange_files(wildcards):
    """Return the tables that a method reads: a plain shuffle does not look at embeddings."""
    dataset = wildcards.dataset
    needs = registry.needs(CONFIG.arrangements[wildcards.arrangement])
    files = {}
    if "tasks" in needs or "embeddings" not in needs:
        files["instances"] = f"results/instances/{dataset}/train.parquet"
    if "embeddings" in needs:
        test = DATASETS[dataset].test
        files["train"] = f"results/embeddings/{dataset}/train.parquet"
        files["test"] = f"results/embeddings/{dataset}/{test}.parquet"
        if DATASETS[dataset].keep_distances:
            files["distances"] = f"results/distances/{dataset}/{test}/matrix.npy"
    return files


def arrange_flags(wildcards):
    """Return the flags of an arrangement, and those of its tables."""
    files = arrange_files(wildcards)
    tables = [f"--{name} {path}" for name, path in files.items()]
    if "train" in files:
        tables.append(f"--measure {CONFIG.distance.measure}")
    flags = registry.flags(CONFIG.arrangements[wildcards.arrangement])
    return " ".join([flags, *tables])


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

# The order in which training instances are seen: the one thing that differs between runs.


def arrangement_path(name):
    """Return the full name of an arrangement: with what the config says about its rounds."""
    by_rounds = name in ("tma-nearest", "tma-farthest")
    return f"{name}-{CONFIG.arrange.within_round}" if by_rounds else name


def arrange_files(wildcards):
    """Return the tables that a method reads: a plain shuffle does not look at embeddings."""
    if wildcards.arrangement == "random":
        return {"instances": f"results/instances/{wildcards.dataset}/train.parquet"}
    return {
        "train": f"results/embeddings/{wildcards.dataset}/train.parquet",
        "test": f"results/embeddings/{wildcards.dataset}/test.parquet",
        "distances": f"results/distances/{wildcards.dataset}/matrix.npy",
    }


def arrange_flags(wildcards):
    """Return the flags of an arrangement's name, and those of its tables."""
    parts = zip(
        ("--method", "--order", "--within-round"), wildcards.arrangement.split("-")
    )
    tables = ((f"--{name}", path) for name, path in arrange_files(wildcards).items())
    return " ".join(f"{flag} {value}" for flag, value in (*parts, *tables))


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
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        flags=arrange_flags,
    shell:
        "python {input.script} {params.flags} --seed {wildcards.seed} --output {output}"
        " --log {log}"

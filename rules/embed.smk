# A vector for every instance, computed in shards: its representation.
from statistics import mean

from nearfirst.embed.registry import KINDS as REPRESENTATIONS
from nearfirst.train.rates import rates


scattergather:
    embed=CONFIG.hardware.embed_shards,


def embed_settings(
    wildcards,
):
    """Return what is read of a representation's row for a pool, or for queries."""
    row = represented_as(wildcards)
    return row.canonical(row.of_query if wildcards.split == "train" else frozenset())


def embed_files(
    wildcards,
):
    """Return the base model and the run that warms it up, where a kind needs them."""
    row, files = represented_as(wildcards), {}
    if row.of_model:
        files["model"] = files_of(FIRST_BASE)
    if hasattr(row, "warmup_steps"):
        run = warm_up_run(wildcards)
        segments = [f"{run}/{name}" for name in warm_up_segments(wildcards)]
        files["checkpoints"] = [f"{folder}/checkpoints" for folder in segments]
        if wildcards.split == "train":
            files["states"] = [f"{folder}/state" for folder in segments]
    return files


def embed_flags(
    wildcards,
):
    """Return the flags of these files, and of what the base model reads."""
    row, flags = represented_as(wildcards), []
    if wildcards.split != "train":
        flags.append("--query")
    if row.of_model:
        flags += ["--model", quote(FIRST_BASE)]
        flags += ["--template", quote(CONFIG.template.canonical())]
    if hasattr(row, "warmup_steps"):
        run, train = warm_up_run(wildcards), CONFIG.warm_up(wildcards.representation)
        flags += [
            "--warm-up",
            *(f"{run}/{name}" for name in warm_up_segments(wildcards)),
        ]
        its = rates(train, train.steps)
        flags += ["--rates", *(str(mean(its[i:j])) for i, j in train.segments())]
    return " ".join(flags)


rule embed:
    """Represent the instances of one shard of a split."""
    input:
        unpack(embed_files),
        instances="<results>/instances/{dataset}/{split}.parquet",
        kind=lambda wildcards: modules_of(
            REPRESENTATIONS.module(represented_as(wildcards).kind)
        ),
        script=script("embed.py"),
        library=library("embed.py"),
    output:
        temp(
            "<results>/embeddings/{representation}/{dataset}/{split}/{scatteritem}.parquet"
        ),
    log:
        "<results>/logs/embed/{representation}_{dataset}_{split}_{scatteritem}.log",
    benchmark:
        "<results>/benchmarks/embed/{representation}_{dataset}_{split}_{scatteritem}.tsv"
    conda:
        "../envs/embed.yaml"
    threads: lambda wildcards: represented_as(wildcards).threads
    resources:
        gpu=CONFIG.hardware.embed.gpus,
        nodes=1,
        mem_mb=growing(CONFIG.hardware.embed.memory_mb),
        runtime=growing(CONFIG.hardware.embed.minutes),
    params:
        settings=embed_settings,
        flags=embed_flags,
    message:
        "embed {wildcards.dataset}: {wildcards.representation} of {wildcards.split}, part "
        "{wildcards.scatteritem}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " --instances {input.instances} --shard {wildcards.scatteritem}"
        " --settings {params.settings:q} {params.flags} --output {output} --log {log}"


rule gather_embeddings:
    """Join the shards."""
    input:
        shards=gather.embed(
            "<results>/embeddings/{{representation}}/{{dataset}}/{{split}}/{scatteritem}.parquet"
        ),
        instances="<results>/instances/{dataset}/{split}.parquet",
        script=script("gather_embeddings.py"),
        library=library("gather_embeddings.py"),
    output:
        "<results>/embeddings/{representation}/{dataset}/{split}.parquet",
    log:
        "<results>/logs/gather_embeddings/{representation}_{dataset}_{split}.log",
    conda:
        "../envs/distance.yaml"
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    message:
        "gather_embeddings of {wildcards.dataset}: {wildcards.representation} of {wildcards.split}"
    shell:
        "python {input.script} {input.shards} --instances {input.instances}"
        " --output {output} --log {log}"

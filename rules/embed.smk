# A vector for every instance, computed in shards: its representation.
from nearfirst.embed.registry import KINDS as REPRESENTATIONS


scattergather:
    embed=CONFIG.hardware.embed_shards,


def represented_as(
    wildcards,
):
    """Return the row of a representation."""
    return CONFIG.representations[wildcards.representation]


def embed_settings(
    wildcards,
):
    """Return what is read of a representation's row for a pool, or for queries."""
    row = represented_as(wildcards)
    not_read = row.of_query if wildcards.split == "train" else frozenset()
    return row.canonical(not_read | {"max_cut_share"})


def embed_pool(
    wildcards,
):
    """Return the pool, where queries lose what all texts of the pool begin with."""
    strips = getattr(represented_as(wildcards), "strip_shared_prefix", False)
    if wildcards.split == "train" or not strips:
        return []
    return f"{RESULTS}/instances/{wildcards.dataset}/train.parquet"


def encoder_state(
    wildcards,
):
    """Return the state of the user's encoder."""
    return model_state(getattr(represented_as(wildcards), "model", None))


rule embed:
    """Represent the instances of one shard of a split."""
    input:
        instances="<results>/instances/{dataset}/{split}.parquet",
        pool=embed_pool,
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
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        settings=embed_settings,
        encoder=encoder_state,
        query=lambda wildcards: "" if wildcards.split == "train" else "--query",
        pool=lambda wildcards, input: f"--pool {input.pool}" if input.pool else "",
    message:
        "embed {wildcards.dataset}: {wildcards.representation} of {wildcards.split}, part "
        "{wildcards.scatteritem}"
    shell:
        "python {input.script} --instances {input.instances} --shard {wildcards.scatteritem}"
        " --settings {params.settings:q} {params.query} {params.pool} --output {output} --log {log}"


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
    params:
        # An object is not recorded: another limit computes nothing again.
        max_cut_share=lambda wildcards: Record(represented_as(wildcards).max_cut_share),
    message:
        "gather_embeddings of {wildcards.dataset}: {wildcards.representation} of {wildcards.split}"
    shell:
        "python {input.script} {input.shards} --instances {input.instances}"
        " --max-cut-share {params.max_cut_share}"
        " --output {output} --log {log}"

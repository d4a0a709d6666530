# An embedding of every instance, computed in shards.
from nearfirst.common.settings import canonical


scattergather:
    embed=CONFIG.hardware.embed_shards,


def embed_settings(
    wildcards,
):
    """Return the settings of the encoder; of test instances also what text of each it reads."""
    not_read = {"max_cut_share"} | (
        {"query_text"} if wildcards.split == "train" else set()
    )
    return canonical(CONFIG.embedding.model_dump(mode="json", exclude=not_read))


def embed_pool(
    wildcards,
):
    """Return the training instances, where test texts lose what all training texts begin with."""
    if wildcards.split == "train" or not CONFIG.embedding.strip_shared_prefix:
        return []
    return f"{RESULTS}/instances/{wildcards.dataset}/train.parquet"


rule embed:
    """Embed one shard of a split."""
    input:
        instances="<results>/instances/{dataset}/{split}.parquet",
        pool=embed_pool,
        script=script("embed.py"),
        library=library("embed.py"),
    output:
        temp("<results>/embeddings/{dataset}/{split}/{scatteritem}.parquet"),
    log:
        "<results>/logs/embed/{dataset}_{split}_{scatteritem}.log",
    benchmark:
        "<results>/benchmarks/embed/{dataset}_{split}_{scatteritem}.tsv"
    conda:
        "../envs/embed.yaml"
    threads: CONFIG.embedding.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        settings=embed_settings,
        query=lambda wildcards: "" if wildcards.split == "train" else "--query",
        pool=lambda wildcards, input: f"--pool {input.pool}" if input.pool else "",
    message:
        "embed {wildcards.dataset}: {wildcards.split}, part {wildcards.scatteritem}"
    shell:
        "python {input.script} --instances {input.instances} --shard {wildcards.scatteritem}"
        " --settings {params.settings:q} {params.query} {params.pool} --output {output} --log {log}"


rule gather_embeddings:
    """Join the shards."""
    input:
        shards=gather.embed(
            "<results>/embeddings/{{dataset}}/{{split}}/{scatteritem}.parquet"
        ),
        instances="<results>/instances/{dataset}/{split}.parquet",
        script=script("gather_embeddings.py"),
        library=library("gather_embeddings.py"),
    output:
        "<results>/embeddings/{dataset}/{split}.parquet",
    log:
        "<results>/logs/gather_embeddings/{dataset}_{split}.log",
    conda:
        "../envs/distance.yaml"
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        # Not recorded: another limit computes nothing again.
        max_cut_share=Record(CONFIG.embedding.max_cut_share),
    message:
        "gather_embeddings of {wildcards.dataset}: {wildcards.split}"
    shell:
        "python {input.script} {input.shards} --instances {input.instances}"
        " --max-cut-share {params.max_cut_share}"
        " --output {output} --log {log}"

# A vector for every instance (its representation), computed in shards.
from statistics import mean

from nearfirst.embed.registry import KINDS as REPRESENTATIONS
from nearfirst.train.rates import rates


scattergather:
    embed=CONFIG.hardware.embed_shards,


def embed_settings(
    wildcards,
):
    """Return the settings of a representation that matter for the pool, or for queries."""
    row = represented_as(wildcards)
    unused = row.of_query if wildcards.split == "train" else frozenset()
    return row.canonical(unused | {"max_cut_share"})


def encoder_state(
    wildcards,
):
    """Return the state of the user's encoder or base model."""
    row = represented_as(wildcards)
    return model_state(FIRST_BASE if row.uses_base_model else row.model)


def embed_files(
    wildcards,
):
    """Return the base model and warm-up run of a kind; the pool if queries lose its shared prefix."""
    row, files = represented_as(wildcards), {}
    if wildcards.split != "train" and getattr(row, "strip_shared_prefix", False):
        files["pool"] = f"{RESULTS}/instances/{wildcards.dataset}/train.parquet"
    if row.uses_base_model:
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
    """Return the flags of these files and of the training template."""
    row, flags = represented_as(wildcards), []
    if pool := embed_files(wildcards).get("pool"):
        flags += ["--pool", pool]
    if wildcards.split != "train":
        flags.append("--query")
    if row.uses_base_model:
        flags += ["--model", quote(FIRST_BASE)]
        flags += ["--template", quote(CONFIG.template.canonical())]
    if hasattr(row, "warmup_steps"):
        run, train = warm_up_run(wildcards), CONFIG.warm_up(wildcards.representation)
        flags += [
            "--warm-up",
            *(f"{run}/{name}" for name in warm_up_segments(wildcards)),
        ]
        step_rates = rates(train, train.steps)
        flags += [
            "--rates",
            *(str(mean(step_rates[i:j])) for i, j in train.segments()),
        ]
    return " ".join(flags)


rule embed:
    """Compute the vectors of one shard of a split."""
    input:
        unpack(embed_files),
        **code("embed.py"),
        instances="<results>/instances/{dataset}/{split}.parquet",
        kind=lambda wildcards: modules_of(
            REPRESENTATIONS.module(represented_as(wildcards).kind).__file__
        ),
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
        **asks_gpus(CONFIG.hardware.embed),
    params:
        settings=embed_settings,
        encoder=encoder_state,
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
        **code("gather_embeddings.py"),
        shards=gather.embed(
            "<results>/embeddings/{{representation}}/{{dataset}}/{{split}}/{scatteritem}.parquet"
        ),
        instances="<results>/instances/{dataset}/{split}.parquet",
    output:
        "<results>/embeddings/{representation}/{dataset}/{split}.parquet",
    log:
        "<results>/logs/gather_embeddings/{representation}_{dataset}_{split}.log",
    conda:
        "../envs/distance.yaml"
    resources:
        **asks(8000, 30),
    params:
        # Objects are not recorded, so another limit reruns nothing.
        max_cut_share=lambda wildcards: Record(represented_as(wildcards).max_cut_share),
    message:
        "gather_embeddings of {wildcards.dataset}: {wildcards.representation} of {wildcards.split}"
    shell:
        "python {input.script} {input.shards} --instances {input.instances}"
        " --max-cut-share {params.max_cut_share}"
        " --output {output} --log {log}"

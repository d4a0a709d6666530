# The order in which training instances are seen, the only difference between runs.
from nearfirst.arrange.registry import METHODS
from nearfirst.arrange.settings import TRAINING_KEYS


rule count_tokens:
    """Count the tokens of training instances, for budgets of tokens."""
    input:
        **code("count_tokens.py"),
        instances="<results>/instances/{dataset}/train.parquet",
        model=files_of(FIRST_BASE),
    output:
        "<results>/tokens/{dataset}.parquet",
    log:
        "<results>/logs/count_tokens/{dataset}.log",
    conda:
        "../envs/train.yaml"
    resources:
        **asks(4000, 60),
    params:
        template=settings("template"),
        model=lambda wildcards: quote(FIRST_BASE),
        tokenizer=lambda wildcards: model_state(FIRST_BASE, tokenizer_read),
    message:
        "count_tokens of {wildcards.dataset}"
    shell:
        "python {input.script} --instances {input.instances} --model {params.model}"
        " --settings {params.template:q} --output {output} --log {log}"


def arrange_files(
    wildcards,
):
    """Return the tables that a method reads: a plain shuffle needs no embeddings."""
    dataset = wildcards.dataset
    data = CONFIG.data[dataset]
    row = CONFIG.arrangements[wildcards.arrangement]
    needs = row.all_needs()
    files = {}
    if needs != {"embeddings"}:
        files["instances"] = f"{RESULTS}/instances/{dataset}/train.parquet"
    if "tokens" in needs:
        files["tokens"] = f"{RESULTS}/tokens/{dataset}.parquet"
    if needs & {"queries", "query_tasks"}:
        files["queries"] = f"{RESULTS}/instances/{dataset}/{data.arranged_for}.parquet"
    if getattr(row, "quantity", None) == "loss":
        base = CONFIG.base_seed(wildcards.seed)
        files["scores"] = f"{RESULTS}/base_losses/{dataset}/seed-{base}.parquet"
    if "embeddings" in needs:
        files |= embeddings_of(row, dataset)
        if data.keep_distances:
            folder = f"{row.representation}/{dataset}/{data.arranged_for}"
            files["distances"] = f"{RESULTS}/distances/{folder}/matrix.npy"
    if data.exclude.any:
        files["excluded"] = f"{RESULTS}/excluded_{dataset}.csv"
    return files


def arrange_flags(
    wildcards,
):
    """Return the flags for these tables."""
    files = arrange_files(wildcards)
    flags = [f"--{name} {path}" for name, path in files.items()]
    if "train" in files:
        flags.append(f"--measure {CONFIG.distance.measure}")
    return " ".join(flags)


def arrange_settings(
    wildcards,
):
    row = CONFIG.arrangements[wildcards.arrangement]
    data = CONFIG.data[wildcards.dataset]
    if data.arranged_for != data.test:
        # The test set is unseen anyway, so no half of it is set apart.
        row = row.model_copy(update={"queries": "all"})
    return row.canonical(TRAINING_KEYS | {"representation"})


def method_state(
    wildcards,
):
    """Return the state of the user's file that a row names: a function or scores."""
    row = CONFIG.arrangements[wildcards.arrangement]
    path = row.source()[0] if hasattr(row, "source") else getattr(row, "path", None)
    return state_of(path) if path else None


rule arrange:
    """Order the training instances."""
    input:
        unpack(arrange_files),
        **code("arrange.py"),
        method=lambda wildcards: modules_of(
            METHODS.module(CONFIG.arrangements[wildcards.arrangement].method).__file__
        ),
    output:
        "<results>/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
    log:
        "<results>/logs/arrange/{dataset}_{arrangement}_seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/arrange/{dataset}_{arrangement}_seed-{seed}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        **asks(4000, 60),
    params:
        settings=arrange_settings,
        own=method_state,
        tables=arrange_flags,
    message:
        "arrange {wildcards.dataset}: {wildcards.arrangement}, seed {wildcards.seed}"
    shell:
        "python {input.script} --settings {params.settings:q} --name {wildcards.arrangement}"
        " {params.tables} --seed {wildcards.seed} --threads {threads}"
        " --output {output} --log {log}"


def export_files(
    wildcards,
):
    """Return the order of an arrangement's first seed, and the embeddings for distances."""
    dataset, arrangement = wildcards.dataset, wildcards.arrangement
    seed = CONFIG.seeds_of(arrangement)[0]
    return {
        "arrangement": f"{RESULTS}/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet",
        **embeddings_of(CONFIG.arrangements[arrangement], dataset),
    }


rule export:
    """Write the training instances in their order, with their distances to the test set."""
    input:
        unpack(export_files),
        **code("export.py"),
        instances="<results>/instances/{dataset}/train.parquet",
    output:
        jsonl="<results>/arranged/{dataset}/{arrangement}.jsonl",
        parquet="<results>/arranged/{dataset}/{arrangement}.parquet",
    log:
        "<results>/logs/export/{dataset}_{arrangement}.log",
    benchmark:
        "<results>/benchmarks/export/{dataset}_{arrangement}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        **asks(4000, 60),
    params:
        measure=CONFIG.distance.measure,
    message:
        "export {wildcards.dataset}: {wildcards.arrangement}"
    shell:
        "python {input.script} --arrangement {input.arrangement} --instances {input.instances}"
        " --train {input.train} --test {input.test} --measure {params.measure} --threads {threads}"
        " --jsonl {output.jsonl} --parquet {output.parquet} --log {log}"

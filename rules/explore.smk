# Before training: compare the pool with the test set.


rule explore:
    """Compare the training instances with the test set: distances, rounds, duplicates."""
    input:
        unpack(
            lambda wildcards: embeddings_of(
                CONFIG.explore, wildcards.dataset, CONFIG.data[wildcards.dataset].test
            )
        ),
        **code("explore.py"),
        train_instances="<results>/instances/{dataset}/train.parquet",
        test_instances=own_test,
    output:
        table="<results>/explore_{dataset}.csv",
        pairs="<results>/explore_{dataset}_pairs.csv",
    log:
        "<results>/logs/explore/{dataset}.log",
    benchmark:
        "<results>/benchmarks/explore/{dataset}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        **asks(4000, 60),
    params:
        settings=settings("explore", {"representation"}),
        measure=CONFIG.distance.measure,
    message:
        "explore {wildcards.dataset}: its pool and its test set"
    shell:
        "python {input.script} --train-instances {input.train_instances}"
        " --train-embeddings {input.train} --test-instances {input.test_instances}"
        " --test-embeddings {input.test} --measure {params.measure} --threads {threads}"
        " --settings {params.settings:q} --output {output.table} --pairs {output.pairs} --log {log}"


def exclude_files(
    wildcards,
):
    """Return the embeddings of both sides, if `near_embedding` is set."""
    row = CONFIG.data[wildcards.dataset]
    if row.exclude.near_embedding is None:
        return {}
    return embeddings_of(row.exclude, wildcards.dataset, row.test)


def exclude_flags(
    wildcards,
):
    """Return the flags of these files and of the n-grams."""
    files = exclude_files(wildcards)
    flags = [f"--{side}-embeddings {path}" for side, path in files.items()]
    if CONFIG.data[wildcards.dataset].exclude.near_text is not None:
        flags.append(
            f"--ngram {CONFIG.explore.ngram} --ngram-of {CONFIG.explore.ngram_of}"
        )
    return " ".join(flags)


rule exclude:
    """List the training instances to exclude: those also in the test set, and repeats."""
    input:
        unpack(exclude_files),
        **code("exclude.py"),
        train_instances="<results>/instances/{dataset}/train.parquet",
        test_instances=own_test,
    output:
        "<results>/excluded_{dataset}.csv",
    log:
        "<results>/logs/exclude/{dataset}.log",
    benchmark:
        "<results>/benchmarks/exclude/{dataset}.tsv"
    conda:
        "../envs/distance.yaml"
    threads: CONFIG.hardware.threads
    resources:
        **asks(4000, 60),
    params:
        settings=lambda wildcards: CONFIG.data[wildcards.dataset].exclude.canonical(
            {"representation"}
        ),
        flags=exclude_flags,
    message:
        "exclude from {wildcards.dataset}: instances of the test set, and repeats"
    shell:
        "python {input.script} --train-instances {input.train_instances}"
        " --test-instances {input.test_instances} {params.flags} --threads {threads}"
        " --settings {params.settings:q} --output {output} --log {log}"


rule plot_exploration:
    """Draw the comparison and write its caption."""
    input:
        **code("plot_exploration.py"),
        table=rules.explore.output.table,
    output:
        figure="<results>/explore_{dataset}.pdf",
        picture=report(
            "<results>/explore_{dataset}.svg",
            caption="../report/explore.rst",
            category="Before training",
            labels={"figure": "explore_{dataset}"},
        ),
        caption="<results>/explore_{dataset}.txt",
    log:
        "<results>/logs/plot_exploration/{dataset}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(1000, 10),
    params:
        look=settings("look"),
        record=Record({}),
    message:
        "plot_exploration of {wildcards.dataset}"
    shell:
        "python {input.script} --table {input.table} --look {params.look:q}"
        " --output {output.figure} --picture {output.picture} --caption {output.caption}"
        " --log {log}"

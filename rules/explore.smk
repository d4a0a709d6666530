# A data set before training: the pool compared with the test set.


rule explore:
    """Compare the training instances with the test set: distances, rounds, duplicates."""
    input:
        unpack(
            lambda wildcards: embeddings_of(
                CONFIG.explore, wildcards.dataset, CONFIG.data[wildcards.dataset].test
            )
        ),
        train_instances="<results>/instances/{dataset}/train.parquet",
        test_instances=own_test,
        script=script("explore.py"),
        library=library("explore.py"),
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
        mem_mb=growing(4000),
        runtime=growing(60),
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


rule plot_exploration:
    """Draw the comparison and write its caption."""
    input:
        table=rules.explore.output.table,
        script=script("plot_exploration.py"),
        library=library("plot_exploration.py"),
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
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        look=settings("look"),
        record=Record({}),
    message:
        "plot_exploration of {wildcards.dataset}"
    shell:
        "python {input.script} --table {input.table} --look {params.look:q}"
        " --output {output.figure} --picture {output.picture} --caption {output.caption}"
        " --log {log}"

# How well does similarity predict the effect of order? Many short runs in one job, not part of
# `all`.

SCORED = CONFIG.order_score
SCORED_DATASET = SCORED.dataset or next(iter(CONFIG.data))
SCORED_TEST = CONFIG.data[SCORED_DATASET].test
SCORED_BASE = model_folder(CONFIG.seeds[0])
# Embeddings of pool and test set in each representation.
SCORED_EMBEDDINGS = {
    name: [
        f"{RESULTS}/embeddings/{name}/{SCORED_DATASET}/{split}.parquet"
        for split in ("train", SCORED_TEST)
    ]
    for name in SCORED.representations
}


def order_run(
    wildcards,
):
    """Return the training settings of one run."""
    return CONFIG.order_run().canonical()


rule order_runs:
    """Train random orders of the same instances, and keep their losses."""
    input:
        **code("order_runs.py"),
        instances=f"<results>/instances/{SCORED_DATASET}/train.parquet",
        test=f"<results>/instances/{SCORED_DATASET}/{SCORED_TEST}.parquet",
        model=files_of(SCORED_BASE),
    output:
        f"<results>/order_runs/{SCORED_DATASET}/{SCORED_TEST}.parquet",
    log:
        f"<results>/logs/order_runs/{SCORED_DATASET}_{SCORED_TEST}.log",
    benchmark:
        f"<results>/benchmarks/order_runs/{SCORED_DATASET}_{SCORED_TEST}.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.hardware.order_processes * CONFIG.train.threads
    resources:
        **asks(
            CONFIG.hardware.order_processes * CONFIG.hardware.train.memory_mb,
            60 + CONFIG.hardware.train.minutes,
            CONFIG.hardware.evaluate.gpus,
        ),
    params:
        settings=settings("order_score", {"dataset", "representations", "measures"}),
        train=order_run,
        evaluate=settings("evaluate", {"also", "average", "threads"}),
        template=settings("template"),
        model=lambda wildcards: f"--model {quote(SCORED_BASE)}",
        base=model_state(SCORED_BASE),
    message:
        f"order_runs: {SCORED.orders} orders of {SCORED_DATASET}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " {params.model} --instances {input.instances} --test {input.test}"
        " --settings {params.settings:q} --train {params.train:q} --evaluate {params.evaluate:q}"
        " --template {params.template:q} --threads {threads} --output {output} --log {log}"


rule order_score:
    """Correlate the losses of the orders with the predictions of similarity."""
    input:
        *SCORED_EMBEDDINGS.values(),
        **code("order_score.py"),
        losses=rules.order_runs.output,
        instances=rules.order_runs.input.instances,
        test=rules.order_runs.input.test,
    output:
        in_report("<results>/order_score.csv", "order_score_table"),
    log:
        "<results>/logs/order_score.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(4000, 30),
    params:
        settings=settings("order_score"),
        train=order_run,
        prediction=settings("prediction"),
        curves=settings("curves"),
        embeddings=lambda wildcards: " ".join(
            f"--embeddings {name} {' '.join(paths)}"
            for name, paths in SCORED_EMBEDDINGS.items()
        ),
    message:
        "order_score: does similarity predict the effect of order?"
    shell:
        "python {input.script} --losses {input.losses} --instances {input.instances}"
        " --test {input.test} {params.embeddings} --settings {params.settings:q}"
        " --train {params.train:q} --prediction {params.prediction:q} --curves {params.curves:q}"
        " --output {output} --log {log}"


rule plot_order_score:
    """Draw the order score."""
    input:
        **code("plot_order_score.py"),
        table=rules.order_score.output,
    output:
        figure="<results>/order_score.pdf",
        picture=report(
            "<results>/order_score.svg",
            caption="../report/takeaways.rst",
            category="Similarity and loss, beyond the paper",
            labels={"figure": "order_score"},
        ),
        caption="<results>/order_score.txt",
    log:
        "<results>/logs/plot_order_score.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(1000, 10),
    params:
        look=settings("look"),
        record=Record({}),
    message:
        "plot_order_score: one figure"
    shell:
        "python {input.script} --table {input.table} --dataset "
        + quote(SCORED_DATASET)
        + " --look {params.look:q} --output {output.figure} --picture {output.picture}"
        " --caption {output.caption} --log {log}"

# Loss of every test instance at every checkpoint.
from nearfirst.figures.figure import test_set


def checkpoints_before(
    wildcards,
):
    """Return the earlier segments whose checkpoints enter a mean, in order."""
    if wildcards.arrangement in CONFIG.checkpoints:
        return []
    train = CONFIG.training(wildcards.dataset, wildcards.arrangement)
    reach = (CONFIG.evaluate.average - 1) * train.checkpoint_every
    first = int(wildcards.start)
    run = f"{wildcards.dataset}/{wildcards.arrangement}/seed-{wildcards.seed}"
    return [
        f"{RESULTS}/checkpoints/{run}/{start}-{stop}"
        for start, stop in train.segments()
        if stop is not None and first - reach < stop <= first
    ]


def tested_instances(
    wildcards,
):
    """Return the test instances; `NAME.SPLIT` is a test set of another data set."""
    dataset, split = test_set(wildcards.test, wildcards.dataset)
    return f"{RESULTS}/instances/{dataset}/{split}.parquet"


rule evaluate:
    """Evaluate the checkpoints of one segment."""
    input:
        **code("evaluate.py"),
        instances=tested_instances,
        checkpoints=checkpoints_of,
        before=checkpoints_before,
        model=model_files,
    output:
        f"<results>/losses/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/evaluate/{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/evaluate/{TESTED_LOG}.tsv"
    # Before more training, so that checkpoints that are not kept can be deleted.
    priority: 1
    conda:
        "../envs/train.yaml"
    threads: CONFIG.evaluate.threads
    resources:
        **asks_gpus(CONFIG.hardware.evaluate),
    params:
        settings=settings("evaluate", {"also"}),
        template=settings("template"),
        model=model_flag,
        tracking=tracking,
        base=base_state,
    message:
        "evaluate {wildcards.dataset} on {wildcards.test}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " {params.model} --instances {input.instances}"
        " --checkpoints {input.checkpoints} --before {input.before} --dataset {wildcards.dataset}"
        " --settings {params.settings:q}"
        " --template {params.template:q} --tracking {params.tracking:q} --output {output} --log {log}"


rule base_losses:
    """Evaluate the base model on the training instances, for arrangements by loss."""
    input:
        **code("base_losses.py"),
        instances="<results>/instances/{dataset}/train.parquet",
        model=lambda wildcards: files_of(model_folder(wildcards.seed)),
    output:
        "<results>/base_losses/{dataset}/seed-{seed}.parquet",
    log:
        "<results>/logs/base_losses/{dataset}_seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/base_losses/{dataset}_seed-{seed}.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.evaluate.threads
    resources:
        **asks_gpus(CONFIG.hardware.evaluate),
    params:
        settings=settings("evaluate", {"also", "average"}),
        template=settings("template"),
        model=lambda wildcards: quote(model_folder(wildcards.seed)),
        base=lambda wildcards: model_state(model_folder(wildcards.seed)),
    message:
        "base_losses of {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " --model {params.model} --instances {input.instances} --settings {params.settings:q}"
        " --template {params.template:q} --output {output} --log {log}"

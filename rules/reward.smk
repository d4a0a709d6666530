# Rewards of the answers, from a model that the config names or that is trained here.


localrules:
    check_reward,


# The training instances that preference pairs are made from, by data set.
PREFERENCE_FILES = {
    dataset: f"{RESULTS}/instances/{dataset}/train.parquet"
    for dataset in CONFIG.reward.preferences.datasets
}


rule preferences:
    """Pair gold answers with corrupted ones."""
    input:
        **code("preferences.py"),
        instances=PREFERENCE_FILES.values(),
    output:
        "<results>/reward/pairs.parquet",
    log:
        "<results>/logs/preferences.log",
    conda:
        "../envs/data.yaml"
    resources:
        **asks(2000, 30),
    params:
        settings=settings("reward.preferences"),
        datasets=" ".join(
            f"--dataset {name} {path}" for name, path in PREFERENCE_FILES.items()
        ),
    message:
        "preferences: pairs of gold and corrupted answers"
    shell:
        "python {input.script} {params.datasets} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule train_reward:
    """Train a small reward model on the pairs, and measure its accuracy on held-out ones."""
    input:
        **code("train_reward.py"),
        pairs=rules.preferences.output,
        model=files_of(FIRST_BASE),
    output:
        model=directory("<results>/reward/model"),
        accuracy=in_report("<results>/reward_accuracy.csv"),
    log:
        "<results>/logs/train_reward.log",
    benchmark:
        "<results>/benchmarks/train_reward.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.reward.training.threads
    resources:
        **asks_gpus(CONFIG.hardware.reward),
    params:
        settings=settings("reward.training"),
        text=settings("reward.text"),
        model=f"--model {quote(FIRST_BASE)}",
        base=lambda wildcards: model_state(FIRST_BASE),
    message:
        "train_reward: a small reward model"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " --pairs {input.pairs} {params.model}"
        " --settings {params.settings:q} --text {params.text:q} --output {output.model}"
        " --accuracy {output.accuracy} --log {log}"


# A named model is checked before hours of generation; one trained here needs no check.
REWARD_CHECKED = f"{RESULTS}/reward/checked" if CONFIG.reward.name else []


rule check_reward:
    """Load config and tokenizer of the reward model that the config names."""
    input:
        **code("check_reward.py"),
        model=files_of(REWARD_MODEL),
    output:
        touch("<results>/reward/checked"),
    log:
        "<results>/logs/check_reward.log",
    # Before everything else.
    priority: 2
    conda:
        "../envs/train.yaml"
    params:
        model=f"--reward-model {quote(REWARD_MODEL)}",
        state=lambda wildcards: model_state(REWARD_MODEL),
    message:
        "check_reward: {params.model}"
    shell:
        "python {input.script} {params.model} --log {log}"


rule reward:
    """Score the answers with the reward model."""
    input:
        **code("reward.py"),
        generations=f"<results>/generations/{TESTED_SEGMENT}.parquet",
        instances="<results>/instances/{dataset}/{test}.parquet",
        model=files_of(REWARD_MODEL),
        checked=REWARD_CHECKED,
    output:
        f"<results>/rewards/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/reward/{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/reward/{TESTED_LOG}.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.reward.scoring.threads
    resources:
        **asks_gpus(CONFIG.hardware.reward),
    params:
        settings=settings("reward.scoring"),
        text=settings("reward.text"),
        model=f"--reward-model {quote(REWARD_MODEL)}",
        state=lambda wildcards: model_state(REWARD_MODEL),
    message:
        "reward answers: {wildcards.dataset} on {wildcards.test}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python -m nearfirst.common.gpus {resources.gpu} python {input.script}"
        " --generations {input.generations} --instances {input.instances}"
        " {params.model} --settings {params.settings:q} --text {params.text:q}"
        " --output {output} --log {log}"

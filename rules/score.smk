# Scores of the answers against their references.


# score.py finds the modules of `score/` by name.
METRIC_FILES = sorted(
    {
        file
        for module in LIBRARY.glob("nearfirst/score/*.py")
        for file in modules_of(module)
    }
)


# The base model, or a model that the user names, whose tokenizer splits the answers.
SPLITS_ANSWERS = {"words": "", "model": FIRST_BASE}.get(
    CONFIG.scores.tokenizer, CONFIG.scores.tokenizer
)


rule score:
    """Compare the answers with their references."""
    input:
        **code("score.py"),
        generations=rules.generate.output,
        instances="<results>/instances/{dataset}/{test}.parquet",
        metrics=METRIC_FILES,
        tokenizer=files_of(SPLITS_ANSWERS),
    output:
        f"<results>/scores/{TESTED_SEGMENT}.parquet",
    log:
        f"<results>/logs/score/{TESTED_LOG}.log",
    benchmark:
        f"<results>/benchmarks/score/{TESTED_LOG}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        **asks(2000, 60),
    params:
        settings=settings("scores"),
        model=lambda wildcards: (
            f"--model {quote(FIRST_BASE)}"
            if CONFIG.scores.tokenizer == "model"
            else ""
        ),
        tokenizer=lambda wildcards: model_state(SPLITS_ANSWERS, tokenizer_read),
    message:
        "score answers: {wildcards.dataset} on {wildcards.test}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python {input.script} --generations {input.generations} --instances {input.instances}"
        " {params.model} --settings {params.settings:q} --output {output} --log {log}"

# Scores of the answers against their references.


# score.py finds the modules of `score/` by name.
METRIC_FILES = sorted(
    {
        file
        for module in LIBRARY.glob("nearfirst/score/*.py")
        for file in modules_of(module)
    }
)


def score_files(
    wildcards,
):
    """Return the folder, the base model's or the user's, whose tokenizer splits the answers."""
    name = CONFIG.scores.tokenizer
    if name == "words":
        return {}
    if name == "model":
        return {"tokenizer": files_of(FIRST_BASE)}
    return {"tokenizer": as_input(name)} if os.path.isdir(name) else {}


def score_state(
    wildcards,
):
    """Return the state of the user's tokenizer."""
    name = CONFIG.scores.tokenizer
    return model_state(FIRST_BASE if name == "model" else name, tokenizer_read)


rule score:
    """Compare the answers with their references."""
    input:
        unpack(score_files),
        **code("score.py"),
        generations=rules.generate.output,
        instances="<results>/instances/{dataset}/{test}.parquet",
        metrics=METRIC_FILES,
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
        tokenizer=score_state,
    message:
        "score answers: {wildcards.dataset} on {wildcards.test}, "
        "{wildcards.arrangement}, seed {wildcards.seed}, steps {wildcards.start} to {wildcards.stop}"
    shell:
        "python {input.script} --generations {input.generations} --instances {input.instances}"
        " {params.model} --settings {params.settings:q} --output {output} --log {log}"

# The generated world of the mini preset: corpora in the published formats, and pretraining text.
from nearfirst.common.source_files import word_files


def words(
    name,
):
    """Return the word files of a program: inputs, so that an edited list reruns its readers."""
    return [str(path) for path in word_files(map(Path, code(name)["library"]))]


rule generate_corpus:
    """Write a generated corpus in the format of a published one."""
    input:
        **code("generate_corpus.py"),
        words=words("generate_corpus.py"),
    output:
        directory("<results>/corpus/{form}"),
    log:
        "<results>/logs/generate_corpus/{form}.log",
    conda:
        "../envs/data.yaml"
    resources:
        **asks(1000, 10),
    params:
        settings=lambda wildcards: CONFIG.corpus.canonical_for(wildcards.form),
    message:
        "generate_corpus: tasks in the format of {wildcards.form}"
    shell:
        "python {input.script} --form {wildcards.form} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule generate_text:
    """Write raw text that teaches the skills but not the tasks' format."""
    input:
        **code("generate_text.py"),
        words=words("generate_text.py"),
    output:
        text="<results>/corpus/text.jsonl",
        exams="<results>/corpus/exams.json",
    log:
        "<results>/logs/generate_text.log",
    conda:
        "../envs/data.yaml"
    resources:
        **asks(1000, 10),
    params:
        settings=settings("model.text"),
    message:
        "generate_text: text to pretrain on"
    shell:
        "python {input.script} --settings {params.settings:q} --output {output.text}"
        " --exams {output.exams} --log {log}"

# The base model: one named in the config, or a small one pretrained on generated text.


rule generate_text:
    """Write raw text that holds the skills but not the tasks' format."""
    input:
        script=script("generate_text.py"),
        library=library("generate_text.py"),
    output:
        "results/corpus/text.jsonl",
    log:
        "results/logs/generate_text.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        settings=settings("model.text"),
    shell:
        "python {input.script} --settings {params.settings:q} --output {output} --log {log}"


rule pretrain:
    """Train a tokenizer and a small Llama from scratch."""
    input:
        text=rules.generate_text.output,
        script=script("pretrain.py"),
        library=library("pretrain.py"),
    output:
        model=directory("results/model"),
    log:
        "results/logs/pretrain.log",
    benchmark:
        "results/benchmarks/pretrain.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.model.pretrain.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=settings("model.pretrain"),
    shell:
        "python {input.script} --text {input.text} --settings {params.settings:q}"
        " --output {output.model} --log {log}"

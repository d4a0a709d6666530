# The base model: one named in the config or of a package, or a small one pretrained on generated
# text.


rule pretrain:
    """Train a tokenizer and a small Llama from scratch."""
    input:
        text=rules.generate_text.output,
        script=script("pretrain.py"),
        library=library("pretrain.py"),
    output:
        model=directory("<results>/model"),
    log:
        "<results>/logs/pretrain.log",
    benchmark:
        "<results>/benchmarks/pretrain.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.model.pretrain.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=settings("model.pretrain"),
    message:
        "pretrain a small base model"
    shell:
        "python {input.script} --text {input.text} --settings {params.settings:q}"
        " --output {output.model} --log {log}"


rule dequantize:
    """Write an ordinary model folder from the GGUF file of a package."""
    input:
        fetched="<results>/raw/model/model/fetched.json",
        script=script("dequantize.py"),
        library=library("dequantize.py"),
    output:
        model=directory("<results>/dequantized"),
    log:
        "<results>/logs/dequantize.log",
    benchmark:
        "<results>/benchmarks/dequantize.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    message:
        "dequantize the base model"
    shell:
        "python {input.script} --input $(dirname {input.fetched}) --output {output.model} --log {log}"

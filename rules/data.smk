# From a published file (or a generated one of the same form) to sampled instances.


rule generate_corpus:
    """Write the embedded corpus in Flan-mini's form."""
    input:
        script=script("generate_corpus.py"),
        library=library("generate_corpus.py"),
    output:
        corpus="results/corpus/flan_mini.json",
        key_list="results/corpus/flan_mini_split.json",
    log:
        "results/logs/generate_corpus.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        settings=settings("corpus"),
    shell:
        "python {input.script} --settings {params.settings:q} --output {output.corpus}"
        " --key-list {output.key_list} --log {log}"


rule sample:
    """Split by tasks and sample training and test instances."""
    input:
        unpack(flan_files),
        script=script("sample.py"),
        library=library("sample.py"),
    output:
        train="results/instances/flan/train.parquet",
        test="results/instances/flan/test.parquet",
    log:
        "results/logs/sample/flan.log",
    benchmark:
        "results/benchmarks/sample/flan.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=settings("data.flan.sample"),
        key_list=key_list_flag,
    shell:
        "python {input.script} --input {input.data:q} {params.key_list}"
        " --settings {params.settings:q} --train {output.train} --test {output.test} --log {log}"

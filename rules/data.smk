# From a published file (or a generated one of the same form) to sampled instances.


localrules:
    fetch,


rule fetch:
    """Fetch published files at a pinned revision; on the submit host, which has a network."""
    input:
        script=script("fetch.py"),
        library=library("fetch.py"),
    output:
        "results/raw/{source}/fetched.json",
    log:
        "results/logs/fetch/{source}.log",
    conda:
        "../envs/data.yaml"
    params:
        settings=hub_settings,
        key=hub_key,
        needs=hub_needs,
    shell:
        "python {input.script} --settings {params.settings:q} --key {params.key} {params.needs}"
        " --output results/raw/{wildcards.source} --log {log}"


rule generate_corpus:
    """Write an embedded corpus in the form of a published one."""
    input:
        script=script("generate_corpus.py"),
        library=library("generate_corpus.py"),
    output:
        directory("results/corpus/{form}"),
    log:
        "results/logs/generate_corpus/{form}.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        settings=corpus_settings,
    shell:
        "python {input.script} --form {wildcards.form} --settings {params.settings:q}"
        " --output {output} --log {log}"


rule sample:
    """Split the data and sample one part: training instances, or a test set."""
    input:
        unpack(sample_files),
        script=script("sample.py"),
        library=library("sample.py"),
    output:
        "results/instances/{dataset}/{split}.parquet",
    log:
        "results/logs/sample/{dataset}_{split}.log",
    benchmark:
        "results/benchmarks/sample/{dataset}_{split}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        flags=sample_flags,
        state=sample_state,
    shell:
        "python {input.script} {params.flags} --split {wildcards.split}"
        " --output {output} --log {log}"

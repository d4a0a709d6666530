# The base model: named in the config, from a package, or a small one pretrained on generated text.


rule pretrain:
    """Train a tokenizer and a small Llama from scratch."""
    input:
        **code("pretrain.py"),
        text=rules.generate_text.output.text,
    output:
        model=directory("<results>/model/seed-{seed}"),
    log:
        "<results>/logs/pretrain/seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/pretrain/seed-{seed}.tsv"
    conda:
        "../envs/train.yaml"
    threads: CONFIG.model.pretrain.threads
    resources:
        **asks(4000, 60),
    params:
        settings=settings("model.pretrain"),
    message:
        "pretrain a small base model, seed {wildcards.seed}"
    # On the CPU: the model is small, and jobs that ask for no GPU would all use the first one.
    shell:
        "CUDA_VISIBLE_DEVICES= python {input.script} --text {input.text}"
        " --settings {params.settings:q} --seed {wildcards.seed} --output {output.model} --log {log}"


# If it is pretrained here, every figure says whether it has the skills that the tasks need.
BASES = sorted({CONFIG.base_seed(seed) for seed in CONFIG.seeds})
BASE_SKILLS = [f"{RESULTS}/base_skills.csv"] if CONFIG.model.is_pretrained_here else []


rule base_skills:
    """Test the base models on every skill, with answers to choose from."""
    input:
        **code("base_skills.py"),
        exams=rules.generate_text.output.exams,
        models=expand(rules.pretrain.output.model, seed=BASES),
    output:
        in_report("<results>/base_skills.csv"),
    log:
        "<results>/logs/base_skills.log",
    conda:
        "../envs/train.yaml"
    resources:
        **asks(2000, 10),
    params:
        bases=lambda wildcards, input: " ".join(
            f"--base {seed} {folder}" for seed, folder in zip(BASES, input.models)
        ),
    message:
        "base_skills: what the base models know"
    shell:
        "python {input.script} {params.bases} --exams {input.exams} --output {output} --log {log}"


rule dequantize:
    """Write an ordinary model folder from the GGUF file of a package."""
    input:
        **code("dequantize.py"),
        fetched="<results>/raw/model/model/fetched.json",
    output:
        model=directory("<results>/dequantized"),
    log:
        "<results>/logs/dequantize.log",
    benchmark:
        "<results>/benchmarks/dequantize.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **asks(4000, 60),
    message:
        "dequantize the base model"
    shell:
        "python {input.script} --input $(dirname {input.fetched}) --output {output.model} --log {log}"

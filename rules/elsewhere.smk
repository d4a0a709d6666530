# Checkpoints of runs that were trained elsewhere, in one folder as those of a run trained here.
from nearfirst.model import fingerprint


def elsewhere_files(
    wildcards,
):
    """Return the folders of the steps, or what stands for what is fetched of them."""
    return [files_of(str(folder)) for folder in ELSEWHERE[wildcards.run].values()]


def elsewhere_base(
    wildcards,
):
    """Return the model that was tuned, where the config names one."""
    base = CONFIG.checkpoints[wildcards.run].base
    return files_of(FIRST_BASE) if base == "model" else base or []


def elsewhere_flags(
    wildcards,
):
    """Return the flags of the steps, the base and the run."""
    name, base = wildcards.run, CONFIG.checkpoints[wildcards.run].base
    flags = [
        *(
            f"--step {step} {quote(str(path))}"
            for step, path in ELSEWHERE[name].items()
        ),
        *([f"--base {quote(FIRST_BASE if base == 'model' else base)}"] if base else []),
    ]
    return f"--name {name} --seed {CONFIG.seeds_of(name)[0]} {' '.join(flags)}"


def elsewhere_state(
    wildcards,
):
    """Return what changes with a file in a folder: Snakemake looks at the folder's time alone."""
    if CONFIG.checkpoints[wildcards.run].source == "hub":
        return None
    return fingerprint.digest(
        [*map(fingerprint.files, ELSEWHERE[wildcards.run].values())]
    )


rule gather_checkpoints:
    """Put checkpoints made elsewhere into one folder: links, or copies in the form of ours."""
    input:
        folders=elsewhere_files,
        base=elsewhere_base,
        script=script("gather_checkpoints.py"),
        library=library("gather_checkpoints.py"),
    output:
        checkpoints=(
            directory("<results>/elsewhere/{run}")
            if CONFIG.keep_checkpoints
            else temp(directory("<results>/elsewhere/{run}"))
        ),
    log:
        "<results>/logs/gather_checkpoints/{run}.log",
    wildcard_constraints:
        run="|".join(map(re.escape, ELSEWHERE)) or "none",
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=growing(CONFIG.hardware.evaluate.memory_mb),
        runtime=growing(60),
    params:
        flags=elsewhere_flags,
        state=elsewhere_state,
    message:
        "gather_checkpoints of {wildcards.run}"
    shell:
        "python {input.script} {params.flags} --output {output.checkpoints} --log {log}"

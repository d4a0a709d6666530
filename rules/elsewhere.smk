# Checkpoints trained elsewhere, gathered in one folder like those of a run trained here.
from nearfirst.elsewhere.settings import checkpoint_files_read


def elsewhere_files(
    wildcards,
):
    """Return the marker files of fetched steps and of the base model, if it is that of this config.

    The user's folders are tracked by state.
    """
    folders = [str(folder) for folder in ELSEWHERE[wildcards.run].values()]
    if CONFIG.checkpoints[wildcards.run].base == "model":
        folders.append(FIRST_BASE)
    return [*filter(None, map(files_of, folders))]


def elsewhere_flags(
    wildcards,
):
    """Return the flags for the steps, the base and the run."""
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
    """Return the state of the user's folders and of the model that was tuned."""
    row, folders = CONFIG.checkpoints[wildcards.run], ELSEWHERE[wildcards.run]
    states = []
    if row.source == "folders":
        states = [
            state_of(folder, checkpoint_files_read) for folder in folders.values()
        ]
    if row.base == "model":
        states.append(model_state(FIRST_BASE))
    elif row.base:
        states.append(state_of(row.base, model_files_read))
    return canonical(states)


rule gather_checkpoints:
    """Gather checkpoints made elsewhere in one folder, as links or as copies in our form."""
    input:
        **code("gather_checkpoints.py"),
        folders=elsewhere_files,
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
        **asks(CONFIG.hardware.evaluate.memory_mb, 60),
    params:
        flags=elsewhere_flags,
        state=elsewhere_state,
    message:
        "gather_checkpoints of {wildcards.run}"
    shell:
        "python {input.script} {params.flags} --output {output.checkpoints} --log {log}"

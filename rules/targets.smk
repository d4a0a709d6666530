# A target that there is not is answered with those that there are.

KNOWN = [*FIGURES, *(f"explore_{name}" for name in CONFIG.data), *TABLES]


def no_such_target(
    wildcards,
):
    """Say what there is in place of a target that there is not."""
    raise WorkflowError(
        f"there is no {RESULTS}/{wildcards.target}.{wildcards.ending}"
        f"{did_you_mean(wildcards.target, KNOWN)} There are {', '.join(KNOWN)}; a row of your "
        "own under `figures` in config.yaml makes another (docs/config.md)"
    )


rule no_such_target:
    # Nothing else gives such a file.
    input:
        no_such_target,
    output:
        "<results>/{target}.{ending}",
    wildcard_constraints:
        target=f"(?!({'|'.join(map(re.escape, KNOWN))})(_paired|_pairs|_tasks)?\\.(pdf|csv)$)[^/]+",
        ending="pdf|csv",

# A target that there is not is answered with those that there are.

KNOWN = [
    *("takeaways", "order_score"),
    *FIGURES,
    *(f"explore_{name}" for name in CONFIG.data),
    *(f"excluded_{name}" for name, row in CONFIG.data.items() if row.exclude.any),
    *TABLES,
]


def no_such_target(
    wildcards,
):
    """Say what there is in place of a target that there is not."""
    name = re.sub("^(fig4|explore|advice)_", "", wildcards.target)
    raise WorkflowError(
        f"there is no {RESULTS}/{wildcards.target}.{wildcards.ending}"
        f"{did_you_mean(wildcards.target, KNOWN) or '.'} Targets are {', '.join(KNOWN)}. A row of `figures` "
        "in config.yaml makes another, and data of your own have fig4_NAME, advice_NAME and explore_NAME: "
        f"--config 'data={{{name}: {{path: pool.jsonl}}}}'"
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

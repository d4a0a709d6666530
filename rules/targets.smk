# A request for an unknown target fails with a list of the known ones.

KNOWN = [
    *("takeaways", "order_score"),
    *FIGURES,
    *(f"explore_{name}" for name in CONFIG.data),
    *(f"excluded_{name}" for name, row in CONFIG.data.items() if row.exclude.any),
    *TABLES,
]
# Snakemake would make the other output in place of such a figure.
for name in FIGURES:
    if KNOWN.count(name) > 1:
        raise WorkflowError(
            f"config key 'figures.{name}': another output has this name; rename the figure"
        )

OF_RUN = re.escape(f"{CONFIG.run}/") if CONFIG.run else ""
ANY = f"({'|'.join(map(re.escape, KNOWN))})(_paired|_pairs|_tasks)?"


def no_such_target(
    wildcards,
):
    """Raise an error that lists the known targets, and says where they are."""
    target = os.path.basename(wildcards.target)
    raise WorkflowError(
        f"there is no results/{wildcards.target}.{wildcards.ending}{did_you_mean(target, KNOWN) or '.'} Targets, which "
        f"are below {RESULTS}/ (with `run: NAME` in the config below results/NAME/), are {', '.join(KNOWN)}. A row of "
        "`figures` in config.yaml makes another, and data of your own have fig4_NAME, advice_NAME and explore_NAME: "
        "--config 'data={mine: {path: pool.jsonl}}'"
    )


rule no_such_target:
    # No other rule makes such a file.
    input:
        no_such_target,
    output:
        "results/{target}.{ending}",
    wildcard_constraints:
        target=f"(?!{OF_RUN}{ANY}\\.(pdf|csv)$)[^/]+(/[^/]+)?",
        ending="pdf|csv",

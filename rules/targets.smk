# A request for an unknown target fails with a list of the known ones.

OF_RUN = re.escape(f"{CONFIG.run}/") if CONFIG.run else ""
KNOWN = [
    *("takeaways", "order_score"),
    *FIGURES,
    *(f"explore_{name}" for name in CONFIG.data),
    *(f"excluded_{name}" for name, row in CONFIG.data.items() if row.exclude.any),
    *TABLES,
]
ANY = f"({'|'.join(map(re.escape, KNOWN))})(_paired|_pairs|_tasks)?"

# Snakemake would take such a figure for another output, or the other way round.
for name in FIGURES:
    stem = re.sub("_(paired|pairs|tasks)$", "", name)
    if KNOWN.count(name) > 1 or (stem != name and stem in KNOWN):
        raise WorkflowError(
            f"config key 'figures.{name}': another output has this name; rename the figure"
        )


def no_such_target(
    wildcards,
):
    """Raise an error that lists the known targets, or names the folder of the run."""
    path = f"results/{wildcards.target}.{wildcards.ending}"
    run, *inside = wildcards.target.split("/")
    if inside and run != CONFIG.run:
        raise WorkflowError(
            f"there is no {path} without `run: {run}`, which puts everything below results/{run}/: add "
            f"--config run={run}"
        )
    if not path.startswith(f"{RESULTS}/"):
        raise WorkflowError(
            f"there is no {path}: with `run: {CONFIG.run}` everything is below {RESULTS}/"
        )
    target = os.path.basename(wildcards.target)
    name = re.sub("^(fig4|explore|advice)_", "", target)
    raise WorkflowError(
        f"there is no {path}{did_you_mean(target, KNOWN) or '.'} Targets are {', '.join(KNOWN)}. A row of `figures` "
        "in config.yaml makes another, and data of your own have fig4_NAME, advice_NAME and explore_NAME: "
        f"--config 'data={{{name}: {{path: pool.jsonl}}}}'"
    )


rule no_such_target:
    # No other rule makes such a file.
    input:
        no_such_target,
    output:
        "results/{target}.{ending}",
    wildcard_constraints:
        target=f"(?!{OF_RUN}{ANY}\\.(pdf|csv)$)(({OF_RUN})?[^/]+|[^/]+/{ANY})",
        ending="pdf|csv",

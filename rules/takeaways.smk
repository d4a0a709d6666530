# Does the paper hold here? Its claims are tested on the runs of the figures; nothing is computed
# for them alone.
from nearfirst.takeaways.claims import subjects

# What the claims are tested on. Other targets do not wait for it.
takeaway_subjects = cache(partial(subjects, CONFIG))


def takeaway_tables(
    wildcards,
):
    """Return the tables that the claims are tested on."""
    paths = []
    for subject in takeaway_subjects().subjects:
        runs = subject.runs(CONFIG)
        paths += tables_of(runs, subject.metrics)
        paths += map(similarity_table, runs) if subject.with_similarity else []
    return list(dict.fromkeys(paths))


rule takeaways:
    """Test the paper's claims."""
    input:
        **code("takeaways.py"),
        tables=takeaway_tables,
    output:
        in_report("<results>/takeaways.csv", "takeaways_table"),
    log:
        "<results>/logs/takeaways.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(8000, 60),
    params:
        tables=tables_flag,
        subjects=lambda wildcards: takeaway_subjects().model_dump_json(
            exclude_defaults=True
        ),
        settings=settings("takeaways"),
        comparison=settings("comparison"),
        stability=settings("stability"),
        prediction=settings("prediction"),
        distribution=settings("distribution"),
        weighting=CONFIG.curves.weighting,
    message:
        "takeaways: test the paper's claims"
    shell:
        "python {input.script} {params.tables} --subjects {params.subjects:q}"
        " --settings {params.settings:q} --comparison {params.comparison:q}"
        " --stability {params.stability:q} --prediction {params.prediction:q}"
        " --distribution {params.distribution:q} --weighting {params.weighting}"
        " --output {output} --log {log}"


rule plot_takeaways:
    """Draw the page of takeaways, and write a sentence on each."""
    input:
        **code("plot_takeaways.py"),
        table=rules.takeaways.output,
    output:
        figure="<results>/takeaways.pdf",
        picture=report(
            "<results>/takeaways.svg",
            caption="../report/takeaways.rst",
            # Headings are sorted alphabetically: this one comes first.
            category="At a glance: does the paper hold here?",
            labels={"figure": "takeaways"},
        ),
        caption="<results>/takeaways.txt",
    log:
        "<results>/logs/plot_takeaways.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **asks(1000, 10),
    params:
        look=settings("look"),
        about=CONFIG.seeds_vary,
        record=Record({}),
    message:
        "plot_takeaways: one page"
    shell:
        "python {input.script} --table {input.table} --look {params.look:q}"
        " --about {params.about:q}"
        " --output {output.figure} --picture {output.picture} --caption {output.caption}"
        " --log {log}"

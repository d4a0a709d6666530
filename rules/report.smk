# What `snakemake --report` shows: each figure with its caption and its config, and the tables.
from nearfirst.report.places import Made, category, label
from nearfirst.report.provenance import provenance


report: "../report/workflow.rst"


PRESET = load({"preset": CONFIG.preset}, LIBRARY / "presets")


def made(wildcards):
    """Return the config that makes a figure, which no rule depends on."""
    return Made(provenance(CONFIG, PRESET, wildcards.figure))


def heading(wildcards):
    """Return where a figure stands in the report."""
    return category(wildcards.figure)


def shows(wildcards):
    """Return what a figure is called there."""
    return {"shows": label(wildcards.figure), "figure": wildcards.figure}


def in_report(path, caption=None):
    """Mark a table for the report."""
    name = caption or os.path.basename(path).removesuffix(".csv")
    return report(
        path,
        caption=f"../report/{name}.rst",
        category="Tables",
        labels={"table": os.path.basename(path)},
    )

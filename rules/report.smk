# What `snakemake --report` shows: each figure with its caption and its config, and the tables.
from nearfirst.config import Config
from nearfirst.report.provenance import made_with
from nearfirst.report.places import Made, category, label


report: "../report/workflow.rst"


# What a config is set over.
BASES = [Config(), load({"preset": CONFIG.preset}, LIBRARY / "presets")]


def made(wildcards):
    """Return the config that makes a figure, which no rule depends on."""
    return Made(made_with(CONFIG, BASES, wildcards.figure))


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

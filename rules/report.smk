# What `snakemake --report` shows: each figure with its caption and its config, and the tables.
# One label for each result: of a second label with two values Snakemake makes a toggle, which
# shows nothing at first.
from nearfirst.report.summary import summary
from nearfirst.report.provenance import provenance
from nearfirst.report.record import Record


report: "../report/workflow.rst"


PRESET = load({"preset": CONFIG.preset}, LIBRARY / "presets")


def record(wildcards):
    """Return the config that makes a figure again, which reruns nothing."""
    return Record(provenance(CONFIG, PRESET, wildcards.figure))


def in_report(path, caption=None):
    """Mark a table for the report."""
    name = caption or os.path.basename(path).removesuffix(".csv")
    return report(
        path,
        caption=f"../report/{name}.rst",
        category="Tables",
        labels={"table": os.path.basename(path)},
    )

# The contents of `snakemake --report`: each figure with its caption and config, and the tables.
# Each result has one label: a second one with two values would become a toggle, which shows nothing
# at first.
from nearfirst.report.summary import failures, summary
from nearfirst.report.provenance import provenance
from nearfirst.report.record import Record


report: "../report/workflow.rst"


PRESET = load({"preset": CONFIG.preset}, LIBRARY / "presets")


def record(wildcards):
    """Return the config that reproduces a figure; changing it reruns nothing."""
    return Record(provenance(CONFIG, PRESET, wildcards.figure))


def in_report(path, caption=None):
    """Include a table in the report."""
    name = caption or os.path.basename(path).removesuffix(".csv")
    return report(
        path,
        caption=f"../report/{name}.rst",
        category="Tables",
        labels={"table": os.path.basename(path)},
    )

# nearfirst: from raw instruction data to figures; only the order of the training data changes.
#
#     snakemake results/fig4_flan.pdf                    # this machine
#     snakemake results/fig4_flan.pdf --profile slurm    # the same DAG as batch jobs
#     snakemake results/*.pdf --report report.html       # a page of the existing figures
#
# Every figure is a target; without a target all are built.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "rules/checkout.smk"
include: "rules/common.smk"
include: "rules/paths.smk"
include: "rules/report.smk"
include: "rules/corpus.smk"
include: "rules/data.smk"
include: "rules/model.smk"
include: "rules/embed.smk"
include: "rules/explore.smk"
include: "rules/distance.smk"
include: "rules/arrange.smk"
include: "rules/train.smk"
include: "rules/elsewhere.smk"
include: "rules/evaluate.smk"
include: "rules/harness.smk"
include: "rules/generate.smk"
include: "rules/score.smk"
include: "rules/reward.smk"
include: "rules/figures.smk"
include: "rules/tables.smk"
include: "rules/takeaways.smk"
include: "rules/order_score.smk"
include: "rules/targets.smk"


rule figures:
    """Every figure, with its numbers, caption and comparison."""
    input:
        expand("<results>/{figure}.pdf", figure=FIGURES),
        expand("<results>/explore_{dataset}.pdf", dataset=CONFIG.data),
        expand("<results>/{figure}_paired.csv", figure=COMPARED),


rule tables:
    """Every table beside the figures."""
    input:
        expand("<results>/{table}.csv", table=TABLES),


rule all:
    """The page of takeaways, every figure and every table."""
    default_target: True
    input:
        rules.plot_takeaways.output.figure,
        rules.figures.input,
        rules.tables.input,


onstart:
    # Snakemake 9 limits itself to 100 jobs a second, with a timer for each finished job. While jobs
    # wait, each timer asks every second what to run next, which in a run of hundreds of jobs takes much
    # of a core. Remove that limit, which is never reached here, but keep one set by the user.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
    # When a submission fails, the SLURM plugin (2.8.0) names the rule of the job. A group's job has
    # none: the error would be lost, and Snakemake wait forever.
    from snakemake.jobs import GroupJob

    if not hasattr(GroupJob, "rule"):
        GroupJob.rule = property(lambda group: next(iter(group.jobs)).rule)


onsuccess:
    logs = [str(log) for job in workflow.dag.jobs for log in job.log]
    print(summary(workflow.dag.derived_targetfiles, FIGURES, logs))


onerror:
    groups = [
        job.jobs if job.is_group() else [job] for job in workflow.scheduler.failed
    ]
    failed = [job for group in groups for job in group]
    print(
        failures(
            (job.message or job.rule.name, log) for job in failed for log in job.log
        )
    )

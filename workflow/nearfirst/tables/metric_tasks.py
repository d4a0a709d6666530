"""Every metric on every unseen task, for specialist test sets (Section A.4)."""

from collections.abc import Mapping

import pandas as pd

from nearfirst.figures.curves import summarize_seeds, task_means
from nearfirst.figures.run import Runs, by_label, scaled
from nearfirst.metrics import MetricName


def metric_tasks(
    metrics: Mapping[MetricName, Runs], weighting: str, confidence: float
) -> pd.DataFrame:
    """Average each metric over the instances of each task, with an interval over seeds.

    Raises InputError if the runs of a data set cannot be compared.

    Returns
    -------
    Columns dataset, metric, task, step, mean, low, high (scores from 0 to 100), n (seeds),
    instances (of the task), confidence.
    """
    parts = []
    for metric, runs in metrics.items():
        for dataset, seeds in by_label(scaled(runs, metric)).items():
            means = [task_means(run, weighting) for run in seeds.values()]
            sizes = next(iter(seeds.values())).task.value_counts()
            for task in sorted(sizes.index):
                first = {"dataset": dataset, "metric": metric, "task": task}
                last = {"instances": sizes[task], "confidence": confidence}
                curves = [mean[task] for mean in means]
                parts.append(summarize_seeds(curves, confidence, first, last, metric))
    return pd.concat(parts, ignore_index=True)

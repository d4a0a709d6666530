# Paths that rules of several stages share.
from functools import partial
from shlex import quote

from nearfirst.common.braces import braces
from nearfirst.metrics import METRICS
from nearfirst.model.files import model_files_read

SEGMENT = "{dataset}/{arrangement}/seed-{seed}/{start}-{stop}"
# A segment's checkpoints measured on one test set.
TESTED_SEGMENT = "{dataset}/{test}/{arrangement}/seed-{seed}/{start}-{stop}"
# A run that warms up a representation.
WARM_UP = "warm_up/{representation}/{dataset}/{arrangement}/seed-{seed}"
TESTED_LOG = "{dataset}_{test}_{arrangement}_seed-{seed}_{start}-{stop}"


def tracking(
    wildcards,
):
    """Return where the metrics of a run go: an object, so that a new place reruns nothing."""
    run = f"{wildcards.dataset}/{wildcards.arrangement}/seed-{wildcards.seed}"
    return Tracking(report_to=CONFIG.report_to, run=run, folder=f"{RESULTS}/tracking")


def folder_of(source, trained):
    """Return the folder of a model: trained here, named by the user, or fetched."""
    name = getattr(CONFIG, source).name
    if name is None:
        return trained
    return name if os.path.isdir(name) else f"{RESULTS}/raw/model/{source}"


def files_of(folder):
    """Return the input that stands for a model's folder; see also `model_state`."""
    if folder.startswith(f"{RESULTS}/raw/"):
        return f"{folder}/fetched.json"
    return as_input(folder)


tokenizer_read = partial(model_files_read, weights=False)


@cache
def model_state(folder, files=model_files_read):
    """Return the fingerprint of a user's model; None for a model that a rule makes or fetches."""
    named = (CONFIG.model.name, CONFIG.reward.name, CONFIG.scores.tokenizer)
    encoders = (getattr(row, "model", None) for row in CONFIG.representations.values())
    is_users = folder and folder in {*named, *encoders} and os.path.isdir(folder)
    return state_of(folder, files) if is_users else None


def model_folder(seed):
    """Return the folder of the base model that runs of a seed start from."""
    if CONFIG.model.package:
        return f"{RESULTS}/dequantized"
    return folder_of("model", f"{RESULTS}/model/seed-{CONFIG.base_seed(seed)}")


def checkpoints_of(wildcards):
    """Return the folder of a segment's checkpoints; a run made elsewhere has a single one."""
    if wildcards.arrangement in CONFIG.checkpoints:
        return f"{RESULTS}/elsewhere/{wildcards.arrangement}"
    return f"{RESULTS}/checkpoints/{SEGMENT}"


def model_of(wildcards):
    """Return the folder of a run's base model; a run made elsewhere brings one of its form."""
    if wildcards.arrangement in CONFIG.checkpoints:
        return f"{checkpoints_of(wildcards)}/model"
    return model_folder(wildcards.seed)


def model_files(wildcards):
    """Return the input that stands for a run's base model; none for a run made elsewhere."""
    elsewhere = wildcards.arrangement in CONFIG.checkpoints
    return [] if elsewhere else files_of(model_of(wildcards))


def base_state(wildcards):
    """Return the fingerprint of a run's base model, if it is the user's; see `model_files`."""
    return model_state(model_of(wildcards))


def model_flag(wildcards):
    return f"--model {quote(model_of(wildcards))}"


# All base models share a tokenizer, and the reward model starts from the first.
FIRST_BASE = model_folder(CONFIG.seeds[0])


REWARD_MODEL = folder_of("reward", f"{RESULTS}/reward/model")


def represented_as(wildcards):
    """Return the row of a representation."""
    return CONFIG.representations[wildcards.representation]


def warm_up_run(wildcards):
    """Return the folder of the run that warms up a representation of a data set."""
    run = f"{wildcards.dataset}/{represented_as(wildcards).arrangement}/seed-{CONFIG.seeds[0]}"
    return f"{RESULTS}/warm_up/{wildcards.representation}/{run}"


def warm_up_segments(wildcards):
    """Return the segments of a warm-up run, `START-STOP`."""
    segments = CONFIG.warm_up(wildcards.representation).segments()
    return [f"{start}-{stop}" for start, stop in segments]


def own_test(wildcards):
    """Return the instances of a data set's own test set."""
    test = CONFIG.data[wildcards.dataset].test
    return f"{RESULTS}/instances/{wildcards.dataset}/{test}.parquet"


def embeddings_of(row, dataset, test=None):
    """Return the embeddings of a pool and a test set in the representation of a row.

    The default test set is the one that the pool is arranged for.
    """
    folder = f"{RESULTS}/embeddings/{row.representation}/{dataset}"
    return {
        "train": f"{folder}/train.parquet",
        "test": f"{folder}/{test or CONFIG.data[dataset].arranged_for}.parquet",
    }


def measured(metric, dataset, test, arrangement, seed):
    """Return the tables of a metric of a run on one test set, segment by segment."""
    run = (
        f"{RESULTS}/{METRICS[metric].stage}/{dataset}/{test}/{arrangement}/seed-{seed}"
    )
    return [
        f"{run}/{segment}.parquet" for segment in CONFIG.segments(dataset, arrangement)
    ]


def tables_of(runs, metrics):
    """Return the tables of some metrics of runs, without repeats: scores share a table."""
    paths = [
        path for run in runs for metric in metrics for path in measured(metric, *run)
    ]
    return list(dict.fromkeys(paths))


def tables_flag(wildcards, input):
    """Return the tables of many runs for a command line."""
    return braces(input.tables)


def similarity_table(run):
    """Return the table of a run's similarity to a test set."""
    return f"{RESULTS}/similarity/{run.dataset}/{run.test}/{run.arrangement}/seed-{run.seed}.parquet"

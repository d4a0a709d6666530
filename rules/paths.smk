# Where things lie: the paths that rules of several stages share.
from shlex import quote

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
    """Return where the metrics of a run go: an object, so that another place reruns nothing."""
    run = f"{wildcards.dataset}/{wildcards.arrangement}/seed-{wildcards.seed}"
    return Tracking(report_to=CONFIG.report_to, run=run, folder=f"{RESULTS}/tracking")


def folder_of(source, trained):
    """Return the folder of a model: the one trained here, the user's, or fetched."""
    name = getattr(CONFIG, source).name
    if name is None:
        return trained
    return name if os.path.isdir(name) else f"{RESULTS}/raw/model/{source}"


def files_of(folder):
    """Return what stands for a model's folder as an input; see `model_state`."""
    if folder.startswith(f"{RESULTS}/raw/"):
        return f"{folder}/fetched.json"
    return if_made(folder)


def tokenizer_read(folder):
    return model_files_read(folder, weights=False)


@cache
def model_state(folder, files=model_files_read):
    """Return the state of a user's model, None of one that a rule makes or fetches."""
    named = (CONFIG.model.name, CONFIG.reward.name, CONFIG.scores.tokenizer)
    encoders = (getattr(row, "model", None) for row in CONFIG.representations.values())
    is_given = folder and folder in {*named, *encoders} and os.path.isdir(folder)
    return state_of(folder, files) if is_given else None


def model_folder(seed):
    """Return the folder of the base model that runs of a seed start from."""
    if CONFIG.model.package:
        return f"{RESULTS}/dequantized"
    return folder_of("model", f"{RESULTS}/model/seed-{CONFIG.base_seed(seed)}")


def checkpoints_of(wildcards):
    """Return the folder of a segment's checkpoints; a run made elsewhere has one."""
    name = wildcards.arrangement
    return (
        f"{RESULTS}/elsewhere/{name}"
        if name in CONFIG.checkpoints
        else f"{RESULTS}/checkpoints/{SEGMENT}"
    )


def model_of(wildcards):
    """Return the folder of a run's base model, or of one in the form of those made elsewhere."""
    if wildcards.arrangement in CONFIG.checkpoints:
        return f"{checkpoints_of(wildcards)}/model"
    return model_folder(wildcards.seed)


def model_files(wildcards):
    """Return what stands for a run's base model as an input; checkpoints bring theirs along."""
    elsewhere = wildcards.arrangement in CONFIG.checkpoints
    return [] if elsewhere else files_of(model_of(wildcards))


def base_state(wildcards):
    """Return the state of a run's base model, if it is the user's; see `model_files`."""
    elsewhere = wildcards.arrangement in CONFIG.checkpoints
    return None if elsewhere else model_state(model_folder(wildcards.seed))


def model_flag(wildcards):
    return f"--model {quote(model_of(wildcards))}"


# All bases have one tokenizer, and the reward model starts from the first.
FIRST_BASE = model_folder(CONFIG.seeds[0])


def reward_folder():
    """Return the folder of the reward model."""
    return folder_of("reward", f"{RESULTS}/reward/model")


def reward_files():
    """Return what stands for the reward model as an input."""
    return files_of(reward_folder())


def represented_as(wildcards):
    """Return the row of a representation."""
    return CONFIG.representations[wildcards.representation]


def warm_up_run(wildcards):
    """Return the folder of the run that warms up a representation of a data set."""
    its = {
        "representation": wildcards.representation,
        "dataset": wildcards.dataset,
        "arrangement": represented_as(wildcards).arrangement,
        "seed": CONFIG.seeds[0],
    }
    return f"{RESULTS}/{WARM_UP.format(**its)}"


def warm_up_segments(wildcards):
    """Return its segments, `START-STOP`."""
    segments = CONFIG.warm_up(wildcards.representation).segments()
    return [f"{start}-{stop}" for start, stop in segments]


def own_test(wildcards):
    """Return the instances of a data set's own test set."""
    test = CONFIG.data[wildcards.dataset].test
    return f"{RESULTS}/instances/{wildcards.dataset}/{test}.parquet"


def embeddings_of(row, dataset, test=None):
    """Return the embeddings of a pool and a test set in the representation of a row.

    Without a test set they are those of what the pool is arranged for.
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
    """Return the tables of some metrics of runs, each once: several scores share a table."""
    paths = [
        path for run in runs for metric in metrics for path in measured(metric, *run)
    ]
    return list(dict.fromkeys(paths))


def similarity_of(run):
    """Return the table of a run's similarity to a test set."""
    return f"{RESULTS}/similarity/{run.dataset}/{run.test}/{run.arrangement}/seed-{run.seed}.parquet"

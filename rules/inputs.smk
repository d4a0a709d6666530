# Which files each rule reads and which flags it gives its program, where that depends on the config.
import hashlib
from fnmatch import fnmatch
from shlex import quote

from nearfirst import ordering as arrangements
from nearfirst.settings.hub import HubSettings

for name, its in CONFIG.arrangements.items():
    try:
        arrangements.check(its)
    except InputError as error:
        key, _, reason = str(error).partition(": ")
        raise WorkflowError(f"config key 'arrangements.{name}.{key}': {reason}")

SEGMENT = "{dataset}/{arrangement}/seed-{seed}/{start}-{stop}"
# A segment's checkpoints looked at on one test set.
TESTED_SEGMENT = "{dataset}/{test}/{arrangement}/seed-{seed}/{start}-{stop}"
TESTED_LOG = "{dataset}_{test}_{arrangement}_seed-{seed}_{start}-{stop}"


def hub(source):
    """Return what is fetched to results/raw/{source}: a data set's files, or a model's."""
    if source in ("model", "reward"):
        return getattr(CONFIG, source).hub()
    return DATASETS[source].hub or HubSettings()


def hub_settings(wildcards):
    return hub(wildcards.source).canonical()


def hub_key(wildcards):
    """Return the section of the config that a message names."""
    of_model = wildcards.source in ("model", "reward")
    return wildcards.source if of_model else f"data.{wildcards.source}"


def hub_needs(wildcards):
    """Return the flag of a file without which what is fetched is of no use."""
    if wildcards.source != "p3" or DATASETS["p3"].list:
        return ""
    comes_along = any(fnmatch("datasets.csv", name) for name in hub("p3").files)
    return "" if comes_along else "--needs data.p3.list"


def corpus_settings(wildcards):
    return CONFIG.corpus.of(wildcards.form)


def raw(dataset):
    """Return the published file or folder of a data set: the user's, fetched or generated."""
    made = f"results/{'raw' if dataset.hub else 'corpus'}/{dataset.form}"
    return dataset.path or made


# What a form reads of a folder.
READ = {
    "flan": ["flan_mini.json", "flan_mini.json.zip"],
    "niv2": ["splits/default/*_tasks.txt", "tasks/*.json"],
    "p3": ["datasets.csv", "*/*.parquet"],
    "sharegpt": ["sharegpt_gpt4.json"],
    "norobots": ["*.parquet", "data/*.parquet"],
    "own": ["*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.parquet"],
}


@cache
def folder_state(form, path):
    """Return what changes with a file in a folder: Snakemake looks at the folder's time alone."""
    folder = Path(path)
    found = (file for pattern in READ[form] for file in folder.glob(pattern))
    files = sorted(file for file in found if file.is_file())
    facts = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def test_path(wildcards):
    """Return the user's test set, if it is a file of its own and this is the split it gives."""
    dataset = DATASETS[wildcards.dataset]
    return wildcards.split == "heldout" and getattr(dataset, "test_path", None)


def sample_state(wildcards):
    """Return the state of the user's folders; a file is an input that Snakemake looks at."""
    dataset = DATASETS[wildcards.dataset]
    paths = filter(None, [dataset.path, test_path(wildcards)])
    states = [folder_state(dataset.form, path) for path in paths if os.path.isdir(path)]
    return states or None


def sample_files(wildcards):
    """Return the published data and what tells how to read them."""
    dataset = DATASETS[wildcards.dataset]
    # Of what is fetched, the record of its sums: fetched again to the same files, nothing reruns.
    fetched = dataset.hub and not dataset.path
    files = {"data": f"{raw(dataset)}/fetched.json" if fetched else raw(dataset)}
    if test := test_path(wildcards):
        files["test"] = test
    for key in ("key_list", "list"):
        if getattr(dataset, key, None):
            files[key] = getattr(dataset, key)
    if dataset.form == "niv2":
        files["tokenizer"] = model_files()
    return files


def sample_flags(wildcards):
    """Return the flags of the files, and those of the sample."""
    dataset = DATASETS[wildcards.dataset]
    key_list = getattr(dataset, "key_list", None)
    if key_list is None and raw(dataset) == "results/corpus/flan":
        key_list = "results/corpus/flan/split.json"
    flags = {
        "--dataset": dataset.sampling(wildcards.split),
        "--input": raw(dataset),
        "--test-input": test_path(wildcards),
        "--hold-out": getattr(dataset, "holds_out", None),
        "--key-list": key_list,
        "--tokenizer": model_folder() if dataset.form == "niv2" else None,
    }
    return " ".join(f"{flag} {quote(value)}" for flag, value in flags.items() if value)


def folder_of(source, trained):
    """Return the folder of a model: the one trained here, the user's, or fetched."""
    name = getattr(CONFIG, source).name
    if name is None:
        return trained
    return name if os.path.isdir(name) else f"results/raw/{source}"


def files_of(folder):
    """Return what stands for a model's folder as an input."""
    return f"{folder}/fetched.json" if folder.startswith("results/raw/") else folder


def model_folder():
    """Return the folder of the base model."""
    return folder_of("model", "results/model")


def model_files():
    """Return what stands for the base model as an input."""
    return files_of(model_folder())


def reward_folder():
    """Return the folder of the reward model."""
    return folder_of("reward", "results/reward/model")


def reward_files():
    """Return what stands for the reward model as an input."""
    return files_of(reward_folder())


def preference_files(wildcards):
    """Return the training instances that preference pairs are made of."""
    return [
        f"results/instances/{dataset}/train.parquet"
        for dataset in CONFIG.reward.preferences.datasets
    ]


def preference_flags(wildcards):
    """Return `--dataset NAME FILE` of each."""
    return " ".join(
        f"--dataset {dataset} {path}"
        for dataset, path in zip(
            CONFIG.reward.preferences.datasets, preference_files(wildcards), strict=True
        )
    )


def score_files(wildcards):
    """Return the model, or the user's folder, whose tokenizer cuts the answers into pieces."""
    name = CONFIG.scores.tokenizer
    if name == "words":
        return {}
    if name == "model":
        return {"tokenizer": model_files()}
    return {"tokenizer": name} if os.path.isdir(name) else {}


def score_flags(wildcards):
    return model_flag(wildcards) if CONFIG.scores.tokenizer == "model" else ""


def model_flag(wildcards):
    return f"--model {quote(model_folder())}"


def arrange_files(wildcards):
    """Return the tables that a method reads: a plain shuffle does not look at embeddings."""
    dataset = wildcards.dataset
    needs = arrangements.needs(CONFIG.arrangements[wildcards.arrangement])
    files = {}
    if "tasks" in needs or "embeddings" not in needs:
        files["instances"] = f"results/instances/{dataset}/train.parquet"
    if "embeddings" in needs:
        test = DATASETS[dataset].test
        files["train"] = f"results/embeddings/{dataset}/train.parquet"
        files["test"] = f"results/embeddings/{dataset}/{test}.parquet"
        if DATASETS[dataset].keep_distances:
            files["distances"] = f"results/distances/{dataset}/{test}/matrix.npy"
    return files


def arrange_flags(wildcards):
    """Return the flags of an arrangement, and those of its tables."""
    files = arrange_files(wildcards)
    tables = [f"--{name} {path}" for name, path in files.items()]
    if "train" in files:
        tables.append(f"--measure {CONFIG.distance.measure}")
    flags = arrangements.flags(CONFIG.arrangements[wildcards.arrangement])
    return " ".join([flags, *tables])


def own_test(stage):
    """Return where a data set's own test set lies, of a stage."""

    def path(wildcards):
        test = DATASETS[wildcards.dataset].test
        return f"results/{stage}/{wildcards.dataset}/{test}.parquet"

    return path


@cache
def training(dataset, arrangement):
    """Return the training settings of a run: its arrangement or data set may say how long it is."""
    steps = CONFIG.arrangements[arrangement].steps or DATASETS[dataset].steps
    if steps is None:
        return CONFIG.train
    segment_steps = None if steps == "epoch" else CONFIG.train.segment_steps
    return CONFIG.train.model_copy(
        update={"steps": steps, "segment_steps": segment_steps}
    )


def train_settings(wildcards):
    return training(wildcards.dataset, wildcards.arrangement).canonical()


def segments(dataset, arrangement):
    """Return the segments of a run; "0-end" is a whole run of unknown length."""
    return [
        f"{start}-{'end' if stop is None else stop}"
        for start, stop in training(dataset, arrangement).segments()
    ]


def state_before(wildcards):
    """Return the state that the segment before leaves; the first segment has none."""
    dataset, arrangement = wildcards.dataset, wildcards.arrangement
    for segment in segments(dataset, arrangement):
        if segment.endswith(f"-{wildcards.start}"):
            return f"results/states/{dataset}/{arrangement}/seed-{wildcards.seed}/{segment}"
    return []


def room_before(wildcards):
    """Return the mark that says that there is room for a segment's checkpoints.

    The first two segments need none.
    """
    names = segments(wildcards.dataset, wildcards.arrangement)
    segment = f"{wildcards.start}-{wildcards.stop}"
    return f"results/room/{SEGMENT}" if segment in names[2:] else []


def evaluated_before(wildcards):
    """Return the losses without which a segment is not trained, if checkpoints are not kept.

    They are those of the segment before last, on the data set's own test set: so a run never has
    checkpoints of more than two segments, however long its evaluations wait in a queue.
    """
    if CONFIG.keep_checkpoints:
        return []
    dataset, arrangement = wildcards.dataset, wildcards.arrangement
    losses = measured(
        "loss", dataset, DATASETS[dataset].test, arrangement, wildcards.seed
    )
    segment = f"{wildcards.start}-{wildcards.stop}"
    return losses[segments(dataset, arrangement).index(segment) - 2]


def segment_flags(wildcards):
    """Return the flags that say which steps to train, and from which state."""
    stop = "" if wildcards.stop == "end" else f" --stop {wildcards.stop}"
    before = state_before(wildcards)
    return f"--start {wildcards.start}{stop}" + (
        f" --state-before {before}" if before else ""
    )


def checkpoint_flags(wildcards):
    """Return the flags that say at which points of an arrangement there are checkpoints."""
    train = training(wildcards.dataset, wildcards.arrangement)
    return (
        f"--steps {train.steps} --batch-size {train.batch_size}"
        f" --checkpoint-every {train.checkpoint_every}"
    )

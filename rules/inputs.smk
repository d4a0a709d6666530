# Which files each rule reads and which flags it gives its program, where that depends on the config.
from shlex import quote

# A run's training is cut into these segments; "0-end" is a whole run of unknown length.
SEGMENT = "{dataset}/{arrangement}/seed-{seed}/{start}-{stop}"
SEGMENTS = [
    f"{start}-{'end' if stop is None else stop}"
    for start, stop in CONFIG.train.segments()
]


def flan_files(wildcards):
    """Return the data set's file and, if there is one, the list that splits it."""
    flan = CONFIG.data.flan
    files = {"data": flan.path or "results/corpus/flan_mini.json"}
    if flan.key_list:
        files["key_list"] = flan.key_list
    elif not flan.path:
        files["key_list"] = "results/corpus/flan_mini_split.json"
    return files


def key_list_flag(wildcards, input):
    return f"--key-list {quote(input.key_list)}" if "key_list" in input.keys() else ""


def model_files(wildcards):
    """Return the folder of the base model; a Hugging Face id is no file."""
    if CONFIG.model.name is None:
        return "results/model"
    return CONFIG.model.name if os.path.isdir(CONFIG.model.name) else []


def model_flags():
    """Return the flags by which a program finds the base model."""
    name = CONFIG.model.name or "results/model"
    revision = f" --revision {CONFIG.model.revision}" if CONFIG.model.revision else ""
    return f"--model {quote(name)}{revision}"


def arrangement_path(name):
    """Return the full name of an arrangement: with what the config says about its rounds."""
    by_rounds = name in ("tma-nearest", "tma-farthest")
    return f"{name}-{CONFIG.arrange.within_round}" if by_rounds else name


def arrange_files(wildcards):
    """Return the tables that a method reads: a plain shuffle does not look at embeddings."""
    if wildcards.arrangement == "random":
        return {"instances": f"results/instances/{wildcards.dataset}/train.parquet"}
    return {
        "train": f"results/embeddings/{wildcards.dataset}/train.parquet",
        "test": f"results/embeddings/{wildcards.dataset}/test.parquet",
        "distances": f"results/distances/{wildcards.dataset}/matrix.npy",
    }


def arrange_flags(wildcards):
    """Return the flags of an arrangement's name, and those of its tables."""
    parts = zip(
        ("--method", "--order", "--within-round"), wildcards.arrangement.split("-")
    )
    tables = ((f"--{name}", path) for name, path in arrange_files(wildcards).items())
    return " ".join(f"{flag} {value}" for flag, value in (*parts, *tables))


def state_before(wildcards):
    """Return the state that the segment before leaves; the first segment has none."""
    for segment in SEGMENTS:
        if segment.endswith(f"-{wildcards.start}"):
            run = f"{wildcards.dataset}/{wildcards.arrangement}/seed-{wildcards.seed}"
            return f"results/states/{run}/{segment}"
    return []


def segment_flags(wildcards):
    """Return the flags that say which steps to train, and from which state."""
    stop = "" if wildcards.stop == "end" else f" --stop {wildcards.stop}"
    before = state_before(wildcards)
    return f"--start {wildcards.start}{stop}" + (
        f" --state-before {before}" if before else ""
    )


def figure_runs(wildcards):
    """Return (label, seed, loss tables) of every run behind a figure."""
    figure = getattr(CONFIG.figures, wildcards.figure)
    return [
        (
            label,
            seed,
            [
                f"results/losses/{figure.dataset}/{arrangement_path(name)}/seed-{seed}/{s}.parquet"
                for s in SEGMENTS
            ],
        )
        for label, name in figure.arrangements.items()
        for seed in CONFIG.seeds
    ]


def figure_losses(wildcards):
    return [path for _, _, paths in figure_runs(wildcards) for path in paths]


def run_flags(wildcards):
    return " ".join(
        f"--run {quote(label)} {seed} {' '.join(paths)}"
        for label, seed, paths in figure_runs(wildcards)
    )


def reference(wildcards):
    return quote(getattr(CONFIG.figures, wildcards.figure).reference)

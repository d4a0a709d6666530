"""The user's files are compared by content; their source and time stamps do not matter."""

import os

import pytest
from checkout import Checkout, copy_project

RUN = "mine/heldout/own/seed-0/0-end"
TARGETS = [f"results/{kind}/{RUN}.parquet" for kind in ("losses", "scores", "rewards")]
FILES = {
    "pool/notes.md": "",
    "pool/ROWS.JSONL": "{}",
    "test.jsonl": "{}",
    "base/config.json": "{}",
    "base/model.safetensors": "weights",
    "base/.git/HEAD": "",
    "encoder/1_Pooling/config.json": "{}",
    "judge/pytorch_model.bin": "weights",
    "tokens/tokenizer.model": "words",
    "tokens/model.safetensors": "weights",
    "order.py": "def order(pool, seed):\n    return range(len(pool.ids))\n",
    "keys.json": "{}",
}
CONFIG = [
    "seeds=[0]",
    "data={mine: {path: pool, test_path: test.jsonl}, flan: {path: pool, key_list: keys.json}}",
    "model={name: base}",
    "representations={text: {model: encoder}}",
    "reward={name: judge}",
    "scores={tokenizer: tokens}",
    "arrangements={own: {method: 'order.py:order', needs: [embeddings]}}",
]
CALL = [*TARGETS, "results/instances/flan/train.parquet", "--config", *CONFIG]

MEASURED = {"evaluate": 1, "generate": 1, "score": 1, "reward": 1}
TRAINED = {"train": 1, **MEASURED}
ARRANGED = {"arrange": 1, **TRAINED}
EMBEDDED = {"gather_embeddings": 2, "distances": 1, **ARRANGED}
CHANGES = {
    "pool/ROWS.JSONL": {"sample": 2, **EMBEDDED, "embed": 2},
    "test.jsonl": {"sample": 1, **EMBEDDED, "embed": 1, "gather_embeddings": 1},
    "base/model.safetensors": TRAINED,
    "encoder/1_Pooling/config.json": {"embed": 2, **EMBEDDED},
    "judge/pytorch_model.bin": {"check_reward": 1, "reward": 1},
    "tokens/tokenizer.model": {"score": 1},
    "order.py": ARRANGED,
    "keys.json": {"sample": 1},
}
NOT_READ = ("pool/notes.md", "base/.git/HEAD", "tokens/model.safetensors")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout with the user's files and empty results."""
    checkout = copy_project(tmp_path_factory.mktemp("content") / "checkout")
    for name, content in FILES.items():
        (checkout.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.folder / name).write_text(content)
    summary = checkout.snakemake("--summary", *CALL).stdout
    for line in summary.splitlines():
        if line.startswith("results/"):
            path = checkout.folder / line.split("\t")[0]
            is_folder = line.startswith(("results/checkpoints/", "results/states/"))
            (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
            if not is_folder:
                path.touch()
    checkout.snakemake("--cores", "1", "--touch", "--forceall", *CALL)
    return checkout


def test_touched_files_and_files_that_are_not_read_rerun_nothing(built: Checkout) -> None:
    for name in FILES:
        (built.folder / name).touch()
    for name in NOT_READ:
        (built.folder / name).write_text("other")
    assert built.would_run(*CALL) == {}


@pytest.mark.parametrize("name", CHANGES)
def test_content_reruns_what_reads_it(built: Checkout, name: str) -> None:
    file = built.folder / name
    old, stat = file.read_text(), file.stat()
    # The same size, with the old time stamp or an older one, as `cp -p` and `unzip` leave it.
    with file.open("r+") as opened:
        opened.seek(max(0, len(old) - 1))
        opened.write(" ")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns if "/" in name else 0))
    try:
        assert built.would_run(*CALL) == CHANGES[name]
    finally:
        file.write_text(old)

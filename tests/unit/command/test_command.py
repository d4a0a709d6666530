"""The command `nearfirst` against the programs of the workflow, with cached embeddings."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import contents
from programs import Program

from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.command import arrange, main
from nearfirst.common.embeddings import write_embeddings
from nearfirst.data.conversation import text_of
from nearfirst.data.instances import conversations, read_instances
from nearfirst.embed import cache, encode
from nearfirst.embed.kinds.text import Settings
from nearfirst.embed.registry import Represented

Run = Callable[..., tuple[int, str, str]]

OWN = """def mine(pool, seed):
    return [len(pool.tasks) - 1, seed]

def leaves(pool, seed):
    raise SystemExit(0)
"""
POOL = ("pool.jsonl", "--for", "prompts.jsonl")
COLUMNS = ("--columns", "question=prompt", "answer=response")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with a pool of 60 rows, 8 prompts and a user's function."""
    monkeypatch.chdir(tmp_path)
    for module in (cache, encode):
        monkeypatch.setattr(module, "BLOCK", 16)
    for name, count in {"pool": 60, "prompts": 8}.items():
        rows = [
            {"n": i, "question": f"{name} {i}?", "answer": "é\n" * (i + 1), "kind": f"t{i % 3}"}
            for i in range(count)
        ]
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        Path(f"{name}.jsonl").write_text(text, encoding="utf-8")
    Path("own.py").write_text(OWN)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield tmp_path
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command; return its exit code, standard output and standard error."""

    def run(command: str, *arguments: object) -> tuple[int, str, str]:
        common = [*COLUMNS, "--cache", "cache", "--task-column", "kind"]
        monkeypatch.setattr(sys, "argv", ["nearfirst", command, *common, *map(str, arguments)])
        code = 0
        try:
            main.main()
        except SystemExit as error:
            code = int(error.code or 0)
        return code, *capfd.readouterr()

    return run


class Encoder:
    """Embeds texts and records them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Iterable[str], *_: object, **__: object) -> Any:
        texts = list(texts)
        self.texts += texts
        vectors = [2 + np.random.default_rng([*text.encode()]).normal(size=5) for text in texts]
        return Represented(np.array(vectors, dtype=np.float32))


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    encoder = Encoder()
    monkeypatch.setattr(encode, "load", lambda *_: encoder)
    monkeypatch.setattr(encode, "embed", encoder.embed)
    return encoder


def rows(path: str) -> list[Any]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "tma", "order": "nearest"},
        {"method": "tma", "budget": 20, "select": "first", "within_round": "pool"},
        {"method": "wsd", "order": "farthest", "granularity": "task"},
        {"method": "own.py:mine"},
    ],
)
def test_orders_are_those_of_the_programs(
    program: Program, run: Run, encoder: Encoder, settings: dict[str, Any]
) -> None:
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
    code, _, stderr = run("arrange", *POOL, "--output", "o.jsonl", "--seed", 3, *flags)
    assert code == 0, stderr
    names = {"columns": {"question": "prompt", "answer": "response"}, "task_column": "kind"}
    data = json.dumps({**names, "format": "chat", "path": "p", "test_path": "t"})
    for split, more in {"train": [], "heldout": ["--test-input", "prompts.jsonl"]}.items():
        flags = ["--settings", data, "--input", "pool.jsonl", "--split", split, *more]
        program("sample.py", *flags, "--output", f"{split}.parquet", check=True)
        table = read_instances(Path(f"{split}.parquet"))
        vectors = encoder.embed([text_of(talk) for talk in conversations(table)]).vectors
        write_embeddings(table["id"].to_pylist(), vectors, Path(f"{split}_e.parquet"))
    files = ["--instances", "train.parquet", "--train", "train_e.parquet"]
    flags = ["--settings", json.dumps(settings), *files, "--test", "heldout_e.parquet"]
    program("arrange.py", *flags, "--seed", 3, "--output", "a.parquet", check=True)
    ids = pq.read_table("a.parquet")["id"].to_pylist()
    pool = rows("pool.jsonl")
    assert rows("o.jsonl") == [pool[int(id_.removeprefix("mine_")) - 1] for id_ in ids]


def test_only_what_is_new_is_embedded(run: Run, encoder: Encoder) -> None:
    first = ("arrange", *POOL, "--output", "o.jsonl")
    assert run(*first)[0] == 0
    assert len(encoder.texts) == 60 + 8
    ordered = Path("o.jsonl").read_bytes()
    Path("other.jsonl").write_text("".join(Path("prompts.jsonl").read_text().splitlines(True)[:5]))
    assert run("explore", "pool.jsonl", "--for", "other.jsonl")[0] == 0
    assert len(encoder.texts) == 60 + 8 + 5
    # A damaged block is embedded again.
    blocks = {pq.read_metadata(path).num_rows: path for path in Path("cache").rglob("*.parquet")}
    blocks[12].write_bytes(blocks[12].read_bytes()[:-9])
    code, _, stderr = run(*first)
    assert (code, len(encoder.texts)) == (0, 60 + 8 + 5 + 12)
    assert "embedding these texts again" in stderr
    assert Path("o.jsonl").read_bytes() == ordered
    # A shuffle needs no embeddings, and other settings use none of the cache.
    assert run(*first, "--method", "random")[0] == 0
    assert len(encoder.texts) == 85
    assert run(*first, "--prompt", "query: ")[0] == 0
    assert len(encoder.texts) == 85 + 68


def test_rows_are_unchanged(run: Run, encoder: Encoder) -> None:
    pool = rows("pool.jsonl")
    table = pa.table(
        {
            "question": [row["question"] for row in pool],
            "answer": pa.array(["", *(row["answer"] for row in pool[1:])]).dictionary_encode(),
            "kind": ["a", "b"] * 30,
            "n": pa.array(range(60), pa.int8()),
            "position": ["first"] * 60,
            "seen": pa.array([datetime(2024, 1, 1)] * 60, pa.timestamp("us", "UTC")),
            "image": pa.array([b"\xff"] * 60),
        }
    )
    Path("parts").mkdir()
    for start in (0, 40):
        pq.write_table(table.slice(start, 40), f"parts/{start}.parquet", row_group_size=7)
    flags = ("--for", "prompts.jsonl", "--unusable", "skip", "--output")
    assert run("arrange", "parts", *flags, "o.parquet")[0] == 0
    ordered = pq.read_table("o.parquet")
    assert ordered.schema.equals(table.schema)
    # Row 0 has an empty answer.
    assert ordered.sort_by("n").equals(table.slice(1))
    assert run("arrange", "parts", *flags, "o.jsonl", "--annotate")[0] == 0
    lines = rows("o.jsonl")
    assert [line["n"] for line in lines] == ordered["n"].to_pylist()
    assert [line["position"] for line in lines] == list(range(59))
    assert {line["original_position"] for line in lines} == {"first"}
    # JSON rows become a table.
    assert run("arrange", "pool.jsonl", *flags, "o.parquet")[0] == 0
    assert pq.read_table("o.parquet").sort_by("n").to_pylist() == pool


def test_ten_lines_and_a_picture(run: Run, encoder: Encoder) -> None:
    code, printed, _ = run("explore", *POOL, "--output", "p.pdf", "--pairs", "p.csv")
    assert code == 0
    lines = printed.splitlines()
    assert len(lines) == 10
    assert lines[0].split(maxsplit=1) == ["pool", "60 rows of 3 tasks"]
    picture = Path("p.pdf").read_bytes()
    assert picture.startswith(b"%PDF")
    # Saved as other figures are: Matplotlib's default would be fonts of type 3.
    assert b"/Type3" not in picture
    assert Path("p.csv").read_text().startswith("kind,train_id")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--output", "o.csv"], "--output o.csv: name it .jsonl or .parquet"),
        (["--method", "tsa"], "did you mean 'tma'?"),
        (["--budget", "10000000"], "budget: 10000000 instances, but the pool holds 60"),
        (["--method", "score", "--column", "X"], "error: pool.jsonl: row 0"),
        (["--method", "own.py:leaves"], "method 'own.py:leaves' raised SystemExit"),
        (["--cache", "pool.jsonl/x"], "pool.jsonl/x/embeddings: Not a directory"),
        (["--output", "own.py/x.jsonl"], "own.py: not a folder"),
    ],
)
def test_errors_are_one_line(run: Run, encoder: Encoder, flags: list[str], named: str) -> None:
    code, printed, stderr = run("arrange", *POOL, "--output", "o.jsonl", *flags)
    assert (code, printed) == (1, "")
    assert named in stderr.splitlines()[-1]
    assert stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in stderr
    assert not list(Path().glob("o.*"))


@pytest.mark.parametrize(
    ("pool", "command"),
    [
        ("pool.jsonl", ["arrange", "--output", "./pool.jsonl"]),
        ("pool.jsonl", ["arrange", "--output", "prompts.jsonl"]),
        ("pool.jsonl", ["explore", "--pairs", "pool.jsonl"]),
        ("parts", ["arrange", "--output", "parts/ordered.jsonl"]),
    ],
)
def test_inputs_are_never_replaced(run: Run, pool: str, command: list[str]) -> None:
    Path("parts").mkdir()
    Path("parts/pool.jsonl").write_bytes(Path("pool.jsonl").read_bytes())
    before = contents(Path())
    code, _, stderr = run(*command, pool, "--for", "prompts.jsonl")
    assert code == 1
    assert "name a file elsewhere" in stderr
    assert contents(Path()) == before


def test_every_setting_has_a_flag_that_names_its_methods() -> None:
    parameters = arrange.parameters()
    for name in arrange.METHODS.names():
        keys = arrange.METHODS.settings(name).model_fields.keys() - ArrangementSettings.model_fields
        assert all(name in parameters[key].description for key in keys)


def test_a_missing_package_is_installed_from_the_projects_folder(
    run: Run, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, stderr = run("explore", *POOL, "--output", "picture.pdf")
    named = "the package matplotlib is missing; in nearfirst's folder run: pip install '.[embed]'"
    assert (code, stderr.splitlines()[-1]) == (1, f"error: {named}")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from nearfirst.command import main\n"
        "try:\n    main.main()\nexcept SystemExit:\n    print(*sys.modules)"
    )
    for words in (["--help"], ["arrange", "--help"], ["explore", "--help"]):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        printed, modules = done.stdout.rsplit("\n", 2)[:2]
        assert "usage: nearfirst" in printed
        heavy = {"torch", "snakemake", "sentence_transformers", "matplotlib"}
        assert not heavy & set(modules.split())


def test_cached_bits_are_those_of_the_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cache, encode):
        monkeypatch.setattr(module, "BLOCK", 16)
    texts = [f"Is {i} more than {i // 2}? " + "yes " * (i % 9) for i in range(40)]
    texts[20] *= 99
    settings = Settings(threads=1)
    whole = encode.embed(texts, len(texts), encode.load(settings.model), settings)
    for _ in range(2):
        cached = cache.Cache(tmp_path, settings).embed(texts)
        assert (cached.vectors == whole.vectors).all()
        assert cached[1:] == whole[1:] == (1, 256)

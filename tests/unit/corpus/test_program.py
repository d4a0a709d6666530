"""The programs that write the generated data sets and the pretraining text."""

import json
import subprocess
from pathlib import Path

import pytest
from files import contents
from programs import SCRIPTS, command, environment

from nearfirst.common.source_files import library_modules, word_files

WORKFLOW = SCRIPTS.parent


@pytest.mark.parametrize("form", ["flan", "sharegpt", "text"])
def test_bytes_depend_on_the_seed_only(tmp_path: Path, form: str) -> None:
    names = ("once", "again", "other")
    for number, (name, seed) in enumerate(zip(names, (0, 0, 1), strict=True)):
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "data/stale.json").touch()
        settings = json.dumps({"instances_per_task": 6, "conversations": 20, "seed": seed})
        flags = ["--form", form, "--output", tmp_path / name / "data"]
        if form == "text":
            settings = json.dumps({"documents": 200, "seed": seed})
            flags = ["--output", tmp_path / name / "text.jsonl"]
            flags += ["--exams", tmp_path / "exams.json"]
        script = f"generate_{'text' if form == 'text' else 'corpus'}.py"
        words = command(script, *flags, "--settings", settings)
        variables = environment() | {"PYTHONHASHSEED": str(number)}
        done = subprocess.run(words, env=variables, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    once, again, other = (contents(tmp_path / name) for name in names)
    assert once == again != other
    assert form == "text" or "data/stale.json" not in once


def test_the_rules_know_the_word_files_that_a_program_reads() -> None:
    corpus, text, train = (
        set(word_files(library_modules(SCRIPTS / name, WORKFLOW)))
        for name in ("generate_corpus.py", "generate_text.py", "train.py")
    )
    assert corpus | text == set(WORKFLOW.glob("nearfirst/**/words/*"))
    # The base model does not depend on the tasks' questions.
    assert {path.stem for path in text} == {"skills", "scenes", "text"}
    assert train == set()

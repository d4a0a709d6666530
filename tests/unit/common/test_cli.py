"""Behaviour shared by all stage programs: help, settings, log, one line on failure."""

from pathlib import Path

import pytest
from programs import SCRIPTS, Program

from nearfirst.figures.look import LookSettings


@pytest.mark.parametrize("name", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_every_program_has_help_and_a_log(program: Program, name: str) -> None:
    done = program(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--log FILE" in done.stdout


def test_help_lists_the_keys_of_settings(program: Program) -> None:
    shown = program("plot.py", "--help").stdout
    assert "--look JSON" in shown
    for key, field in LookSettings.model_fields.items():
        assert f"  {key} = {field.get_default()!r}\n" in shown
        assert str(field.description) in shown


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"counting": "tokens"}', "counting"),
        ("{counting: types}", "JSON"),
        ('{"widht": 3}', "widht: unknown key"),
    ],
)
def test_settings_that_cannot_be_used(program: Program, text: str, named: str) -> None:
    done = program("similarity.py", "--settings", text)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("similarity.py: error: argument --settings: ")
    assert named in last


def test_threads_are_a_number_from_1(program: Program) -> None:
    for number in ("0", "many"):
        done = program("distances.py", "--threads", number)
        assert done.returncode == 2
        assert f"--threads: {number!r}: expected a whole number of at least 1" in done.stderr


def test_the_log_gets_the_progress_and_the_screen_nothing(program: Program, tmp_path: Path) -> None:
    log = tmp_path / "new/folder/log"
    text = tmp_path / "text.jsonl"
    flags = ["--settings", '{"documents": 5}', "--output", text, "--log", log]
    flags += ["--exams", tmp_path / "exams.json"]
    done = program("generate_text.py", *flags)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(text.read_text().splitlines()) == 5
    assert "5" in log.read_text()


def test_the_log_gets_the_failure_and_the_screen_one_line(program: Program, tmp_path: Path) -> None:
    log = tmp_path / "log"
    keys, corpus = tmp_path / "keys.json", tmp_path / "corpus"
    form = ["--form", "flan", "--settings", '{"instances_per_task": 2}']
    program("generate_corpus.py", *form, "--output", corpus, check=True)
    keys.write_text('{"train_key_list": ["nowhere"], "eval_key_list": ["else"]}')
    flags = ["--settings", '{"format": "flan"}', "--input", corpus, "--key-list", keys]
    output = ["--split", "train", "--output", tmp_path / "a.parquet"]
    done = program("sample.py", *flags, *output, "--log", log)
    line = f"error: {keys}: task 'nowhere' is not in the data\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    assert line in log.read_text()
    assert "of them usable" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_fault_of_our_own_leaves_its_traceback_in_the_log(
    program: Program, tmp_path: Path
) -> None:
    log, path = tmp_path / "log", tmp_path / "corpus.json"
    # No code expects a file in place of the output folder.
    path.touch()
    done = program("generate_corpus.py", "--form", "flan", "--output", path, "--log", log)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {path}: Not a directory")
    assert done.stderr.count("\n") == 1
    assert "Traceback" in log.read_text()
    assert done.stderr in log.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus.json", "log"]


def test_a_log_that_cannot_be_written(program: Program, tmp_path: Path) -> None:
    text = tmp_path / "text.jsonl"
    flags = ["--output", text, "--exams", tmp_path / "exams.json", "--log", tmp_path]
    done = program("generate_text.py", "--settings", '{"documents": 5}', *flags)
    assert (done.returncode, done.stderr) == (1, f"error: --log {tmp_path}: Is a directory\n")
    assert not list(tmp_path.iterdir())

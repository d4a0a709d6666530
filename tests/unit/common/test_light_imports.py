"""Only programs that need a model import torch, which takes seconds: the others start at once."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from nearfirst.common.source_files import library_modules

ROOT = Path(__file__).parents[3] / "workflow"
PROGRAMS = sorted((ROOT / "scripts").glob("*.py"))
HEAVY = {"torch", "transformers", "sentence_transformers", "accelerate"}
NEED_A_MODEL = {
    "base_losses",
    "base_skills",
    "check_reward",
    "count_tokens",
    "dequantize",
    "embed",
    "evaluate",
    "gather_checkpoints",
    "generate",
    "harness",
    "order_runs",
    "pretrain",
    "reward",
    "train",
    "train_reward",
}
# Imports inside functions, for few configs: a tokenizer for scores or tool turns, and trackers of
# metrics.
ON_DEMAND = {ROOT / f"nearfirst/{name}.py" for name in ("model/tokenizer", "model/tracking")}


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code, then print which heavy packages it has imported."""
    without = {key: text for key, text in os.environ.items() if not key.startswith("POT_")}
    return subprocess.run(
        [sys.executable, "-c", f"import runpy, sys\n{code}\nprint(*{HEAVY} & sys.modules.keys())"],
        env={**without, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@cache
def imports(path: Path) -> list[tuple[str, set[str]]]:
    """Return each import of a file, inside functions too, and the packages it names."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.append((ast.unparse(node), {name.name.partition(".")[0] for name in node.names}))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((ast.unparse(node), {(node.module or "").partition(".")[0]}))
    return found


def files_of(program: Path) -> list[Path]:
    return [program, *library_modules(program, ROOT)]


def test_nothing_that_light_stages_import_imports_something_heavy() -> None:
    light = [program for program in PROGRAMS if program.stem not in NEED_A_MODEL]
    every = {
        text
        for path in {path for program in light for path in files_of(program)}
        for text, packages in imports(path)
        # POT would, unless told not to: the next test.
        if not (path in ON_DEMAND and packages & HEAVY) and text != "import ot"
    }
    assert any("huggingface_hub" in text for text in every)
    # Every program starts with little, also one that then needs a model.
    starts = "\n".join(f"runpy.run_path({str(program)!r})" for program in PROGRAMS)
    done = python("\n".join([*sorted(every), starts]))
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_optimal_transport_works_without_anything_heavy() -> None:
    # POT imports torch unless told not to.
    points = "random((40, 8)), random((5, 8))"
    code = f"arrange({points}, method='optimal-transport')"
    done = python(f"from nearfirst import arrange\nfrom numpy.random import random\n{code}")
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr

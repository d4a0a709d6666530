"""Which files of a model's folder are read. Imports no torch: the Snakefile asks."""

import json
from contextlib import suppress
from pathlib import Path

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf", ".onnx")


def model_files_read(folder: Path, *, weights: bool = True) -> list[Path]:
    """Return what may be read of a model's folder, and of the base of an adapter.

    That is all but notes and hidden files; without `weights`, what a tokenizer may be read from.
    """
    folders = [folder]
    with suppress(OSError, ValueError, KeyError, TypeError):
        base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
        folders += [Path(base)] if Path(base).is_dir() else []
    ignored = (".md", *(() if weights else WEIGHTS))
    return [
        path
        for each in folders
        for path in sorted(each.rglob("*"))
        if path.is_file()
        and not path.name.lower().endswith(ignored)
        and not any(part.startswith(".") for part in path.relative_to(each).parts)
    ]

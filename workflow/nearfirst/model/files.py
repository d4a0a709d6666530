"""Which files of a model folder are read. Does not import torch: the Snakefile uses it."""

import json
from contextlib import suppress
from pathlib import Path

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf", ".onnx")


def model_files_read(folder: Path, *, weights: bool = True) -> list[Path]:
    """Return the files of a model folder, and of an adapter's base, that may be read.

    Notes and hidden files are left out; without `weights`, so are weights files.
    """
    folders = [folder]
    with suppress(OSError, ValueError, KeyError, TypeError):
        base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
        folders += [Path(base)] if Path(base).is_dir() else []
    ignored = (".md", *(() if weights else WEIGHTS))
    return [
        path
        for root in folders
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.name.lower().endswith(ignored)
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]

"""Embeddings kept by their content, so that a text is not embedded again for other prompts."""

import hashlib
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearfirst.common import gpus
from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.parquet import embeddings_table, read_embeddings, write_table
from nearfirst.common.settings import canonical
from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings
from nearfirst.embed.registry import BLOCK

Vectors = npt.NDArray[np.float32]


class Cache:
    """Embeddings by encoder, settings and texts.

    The last bits of an embedding depend on the texts that share its batches, so an entry is a whole
    block of `BLOCK` texts, the unit whose bits depend on nothing else: what is read here are
    the bits of `embed.py`. An entry is written whole or not at all, and two processes that write
    the same one write the same.

    Parameters
    ----------
    folder
        Where entries are kept; it may be deleted at any time.
    settings
        Of the encoder.

    Raises
    ------
    InputError
        If the folder cannot be written, or the encoder not found.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder / "embeddings", settings
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be made ({error.strerror}); name another folder for the cache"
            ) from None
        self._weights, self._revision = _weights(settings)
        packages = ("torch", "transformers", "sentence-transformers")
        # Which text of an instance is embedded, the text itself says.
        other = {"model", "text", "query_text"}
        self._common = canonical(
            {
                "settings": settings.model_dump(mode="json", exclude=other),
                "weights": self._weights,
                "versions": [version(name) for name in packages],
                "gpu": bool(gpus.visible()),
            }
        )
        self._encoder: Any = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the (N, d) embeddings of N texts, those of `encode.embed`, to the bit.

        What is not kept yet is embedded, and kept block by block: after a kill the next call goes
        on. Raises InputError as `encode.load` and `encode.embed`, or if the disk is full.
        """
        blocks = [texts[at : at + BLOCK] for at in range(0, len(texts), BLOCK)]
        paths = [self._path(block) for block in blocks]
        missing = sum(not path.exists() for path in paths)
        logging.info("%d texts, %d of %d blocks to embed", len(texts), missing, len(blocks))
        found: Vectors | None = None
        for number, (block, path) in enumerate(zip(blocks, paths, strict=True)):
            vectors = self._kept(path)
            if vectors is None:
                logging.info("embedding block %d of %d", number + 1, len(blocks))
                vectors = self._embed(block)
                self.put(block, vectors)
            if found is None:
                found = np.empty((len(texts), vectors.shape[1]), dtype=np.float32)
            found[number * BLOCK :][: len(block)] = vectors
        assert found is not None, "no texts"
        return found

    def put(self, block: Sequence[str], vectors: Vectors) -> None:
        """Keep the (n, d) embeddings of a block of n texts."""
        ids = [str(number) for number in range(len(block))]
        write_table(embeddings_table(ids, vectors), self._path(block))

    def _kept(self, path: Path) -> Vectors | None:
        if not path.exists():
            return None
        try:
            return read_embeddings(path)[1]
        except InputError as error:
            logging.warning("%s; embedding these texts again", error)
            return None

    def _path(self, block: Sequence[str]) -> Path:
        digest = hashlib.sha256(self._common.encode())
        for text in block:
            content = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(content) + content)
        name = digest.hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.parquet"

    def _embed(self, block: Sequence[str]) -> Vectors:
        its = self._settings
        if self._encoder is None:
            import torch

            torch.set_num_threads(its.threads)
            self._encoder = encode.load(its.model, self._revision)
        prompt = encode.prompt_of(self._encoder, its.prompt, its.prompt_name)
        return encode.embed(block, self._encoder, its.batch_tokens, prompt, its.dimension)


def _weights(settings: Settings) -> tuple[str, str | None]:
    """Return what tells an encoder's content from another's, and the revision to load."""
    if settings.model == encode.MINILM:
        return encode.MINILM_SHA256, None
    folder = Path(settings.model)
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sums = [(path.relative_to(folder).as_posix(), sha256(path)) for path in files]
        return canonical(sums), None
    from huggingface_hub import hf_hub_download

    for name in ("modules.json", "config.json"):
        try:
            found = hf_hub_download(settings.model, name, revision=settings.revision)
        except Exception as error:  # whatever it is, the other file or the loader says it better
            logging.debug("%s", error)
        else:
            # …/snapshots/COMMIT/config.json: a branch moves, its commit does not.
            return f"{settings.model}@{Path(found).parent.name}", Path(found).parent.name
    # Loading fails too, and says why.
    encode.load(settings.model, settings.revision)
    raise InputError(f"model: {settings.model!r} has no modules.json or config.json")

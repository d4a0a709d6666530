"""Embeddings kept by their content, so that a text is not embedded again for other prompts."""

import hashlib
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from nearfirst.common import gpus
from nearfirst.common.content import state
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import empty_matrix, read_embeddings, write_embeddings
from nearfirst.common.settings import canonical
from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings, encoded
from nearfirst.embed.registry import BLOCK, Represented
from nearfirst.model.files import model_files_read


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
        self._weights, self._revision = _weights(settings, folder / "sums")
        packages = ("torch", "transformers", "sentence-transformers")
        # Which text of an instance is embedded, the text itself says.
        other = {"model", "text", "query_text", "strip_shared_prefix", "max_cut_share"}
        self._common = canonical(
            {
                "settings": settings.model_dump(mode="json", exclude=other),
                "weights": self._weights,
                "versions": [version(name) for name in packages],
                "gpu": bool(gpus.visible()),
            }
        )
        self._encoder: Any = None

    def embed(self, texts: Sequence[str]) -> Represented:
        """Return the (N, d) embeddings of N texts, those of `embed.py`, to the bit.

        What is not kept yet is embedded, and kept block by block: after a kill the next call goes
        on. Raises InputError as `encode`, or if the disk is full.
        """
        blocks = [texts[at : at + BLOCK] for at in range(0, len(texts), BLOCK)]
        missing = sum(not self._path(block).exists() for block in blocks)
        logging.info("%d texts, %d of %d blocks to embed", len(texts), missing, len(blocks))
        vectors, cut, limit = np.empty((0, 0), dtype=np.float32), 0, None
        for number, block in enumerate(blocks):
            if (its := self._kept(self._path(block))) is None:
                logging.info("embedding block %d of %d", number + 1, len(blocks))
                if self._encoder is None:
                    self._encoder = self._load()
                its = encoded(block, self._settings, self._encoder)
                self.put(block, its)
            if not number:
                vectors, limit = empty_matrix((len(texts), its.vectors.shape[1])), its.limit
            vectors[BLOCK * number : BLOCK * number + len(block)] = its.vectors
            cut += its.cut
        return Represented(vectors, cut, limit)

    def put(self, block: Sequence[str], its: Represented) -> None:
        """Keep what represents a block of texts."""
        ids = [str(number) for number in range(len(block))]
        facts = {"cut": str(its.cut), "limit": str(its.limit)}
        write_embeddings(ids, its.vectors, self._path(block), facts)

    def _kept(self, path: Path) -> Represented | None:
        if not path.exists():
            return None
        try:
            vectors = read_embeddings(path)[1]
        except InputError as error:
            logging.warning("%s; embedding these texts again", error)
            return None
        facts = pq.read_schema(path).metadata
        limit = facts[b"limit"].decode()
        return Represented(vectors, int(facts[b"cut"]), int(limit) if limit.isdecimal() else None)

    def _path(self, block: Sequence[str]) -> Path:
        digest = hashlib.sha256(self._common.encode())
        for text in block:
            content = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(content) + content)
        name = digest.hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.parquet"

    def _load(self) -> Any:
        import torch

        torch.set_num_threads(self._settings.threads)
        return encode.load(self._settings.model, self._revision)


def _weights(settings: Settings, sums: Path) -> tuple[str, str | None]:
    """Return what tells an encoder's content from another's, and the revision to load."""
    if settings.model == encode.MINILM:
        return encode.MINILM_SHA256, None
    folder = Path(settings.model)
    if folder.is_dir():
        return state(folder, model_files_read(folder), sums, logging.info), None
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

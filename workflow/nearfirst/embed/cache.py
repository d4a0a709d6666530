"""A cache of embeddings by content, so that a text is embedded only once."""

import hashlib
import logging
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from nearfirst.common import gpus
from nearfirst.common.content import state
from nearfirst.common.embeddings import empty_matrix, read_embeddings, write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.settings import canonical
from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings
from nearfirst.embed.registry import BLOCK, Represented
from nearfirst.model.files import model_files_read


class Cache:
    """Embeddings by encoder, settings and texts.

    The last bits of an embedding depend on the texts that share its batches. So an entry is a block
    of `BLOCK` texts, whose bits depend on nothing else: they are those that `embed.py` computes. An
    entry is written atomically, and concurrent writers of an entry write the same bytes. The folder
    may be deleted at any time.

    Raises InputError if the encoder is not found.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder / "embeddings", settings
        self._folder.mkdir(parents=True, exist_ok=True)
        weights, self._revision = _identify_weights(settings, folder / "sums")
        packages = ("torch", "transformers", "sentence-transformers")
        # Settings that choose the text are left out: the text is part of the key.
        unused = {"model", "text", "query_text", "strip_shared_prefix", "max_cut_share"}
        self._common_key = canonical(
            {
                "settings": settings.model_dump(mode="json", exclude=unused),
                "weights": weights,
                "versions": [version(name) for name in packages],
                "gpu": bool(gpus.visible()),
            }
        )

    def embed(self, texts: Sequence[str]) -> Represented:
        """Return the (N, d) embeddings of N texts, with the same bits as `embed.py`.

        Missing blocks are embedded and stored one by one, so an interrupted call can be resumed.
        Raises InputError as `encode`, or if the disk is full.
        """
        blocks = [texts[start : start + BLOCK] for start in range(0, len(texts), BLOCK)]
        missing = sum(not self._path(block).exists() for block in blocks)
        logging.info("%d texts, %d of %d blocks to embed", len(texts), missing, len(blocks))
        vectors, cut, limit = np.empty((0, 0), dtype=np.float32), 0, None
        for number, block in enumerate(blocks):
            if (entry := self._read(self._path(block))) is None:
                logging.info("embedding block %d of %d", number + 1, len(blocks))
                entry = encode.embed(block, len(block), self._encoder, self._settings)
                facts = {"cut": str(entry.cut), "limit": str(entry.limit)}
                ids = [str(i) for i in range(len(block))]
                write_embeddings(ids, entry.vectors, self._path(block), facts)
            if not number:
                vectors, limit = empty_matrix((len(texts), entry.vectors.shape[1])), entry.limit
            vectors[BLOCK * number : BLOCK * number + len(block)] = entry.vectors
            cut += entry.cut
        return Represented(vectors, cut, limit)

    def _read(self, path: Path) -> Represented | None:
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
        digest = hashlib.sha256(self._common_key.encode())
        for text in block:
            content = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(content) + content)
        name = digest.hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.parquet"

    @cached_property
    def _encoder(self) -> Any:
        import torch

        torch.set_num_threads(self._settings.threads)
        return encode.load(self._settings.model, self._revision)


def _identify_weights(settings: Settings, sums: Path) -> tuple[str, str | None]:
    """Return an identifier of the encoder's content, and the revision to load."""
    if settings.model == encode.MINILM:
        return encode.MINILM_SHA256, None
    folder = Path(settings.model)
    if folder.is_dir():
        return state(folder, model_files_read(folder), sums, logging.info), None
    from huggingface_hub import hf_hub_download

    for name in ("modules.json", "config.json"):
        try:
            path = Path(hf_hub_download(settings.model, name, revision=settings.revision))
        except Exception as error:  # the other file, or loading, gives a better message
            logging.debug("%s", error)
        else:
            # …/snapshots/COMMIT/config.json: a branch moves, its commit does not.
            return f"{settings.model}@{path.parent.name}", path.parent.name
    # Loading fails with the reason.
    encode.load(settings.model, settings.revision)
    raise InputError(f"model: {settings.model!r} has no modules.json or config.json")

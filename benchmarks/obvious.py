"""Compute the losses of one checkpoint in the obvious way, as a comparison for evaluation.py.

All instances are padded on the left to one length and batched in order; logits are computed at
every position.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.data.instances import conversations, read_instances
from nearfirst.model.template import IGNORED, Tokens, encode


def padded(batch: list[Tokens], width: int) -> dict[str, torch.Tensor]:
    """Return a batch padded on the left, with its mask and labels."""
    ids = torch.zeros(len(batch), width, dtype=torch.int64)
    labels = torch.full_like(ids, IGNORED)
    mask = torch.zeros_like(ids)
    for row, item in enumerate(batch):
        ids[row, -len(item.ids) :] = torch.from_numpy(item.ids)
        labels[row, -len(item.ids) :] = torch.from_numpy(item.labels)
        mask[row, -len(item.ids) :] = 1
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


@torch.inference_mode()
def main(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.checkpoint, dtype=torch.float32).eval()
    tokens = encode(
        conversations(read_instances(arguments.instances)), tokenizer, arguments.max_length
    )
    tokens = [item for item in tokens if item.label_tokens]
    longest = max(len(item.ids) for item in tokens)
    width = longest if arguments.to == "longest" else arguments.max_length
    losses = []
    for start in range(0, len(tokens), arguments.batch_size):
        batch = padded(tokens[start : start + arguments.batch_size], width)
        labels = batch.pop("labels")[:, 1:]
        logits = model(**batch, use_cache=False).logits[:, :-1]
        each = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
        )
        losses.append(each.sum(1) / (labels != IGNORED).sum(1))
    np.save(arguments.output, torch.cat(losses).numpy())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", required=True, help="folder of the base model, for its tokenizer")
    add("--checkpoint", type=Path, required=True, help="folder of the checkpoint")
    add("--instances", type=Path, required=True, help="test instances (Parquet)")
    add("--max-length", type=int, required=True, help="tokens of an instance")
    add(
        "--to",
        choices=["full", "longest"],
        default="full",
        help="pad to --max-length, or to the longest",
    )
    add("--batch-size", type=int, default=16, help="instances in a forward pass")
    add("--threads", type=int, default=1, help="CPU threads")
    add("--output", type=Path, required=True, help="losses to write (.npy)")
    main(parser.parse_args())

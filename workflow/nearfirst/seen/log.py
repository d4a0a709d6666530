"""Log what a trainer feeds its model: `trainer.add_callback(LogSeen("seen"))`.

`nearfirst check-order` compares the log with the pool. It is recorded where the model is called, so
it holds what was trained on, after any samplers, collators and packing.
"""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from nearfirst.common.errors import InputError


class LogSeen(TrainerCallback):  # type: ignore[misc]
    """Write the text of every training sequence to `FOLDER/process-N.jsonl`, one line per call.

    A resumed run continues the files in the folder; a new run replaces them.

    Parameters
    ----------
    folder
        Where to write; each process has its own file.
    tokenizer
        Decodes the tokens; by default the Trainer's `processing_class`.
    """

    def __init__(self, folder: str | Path, tokenizer: Any = None) -> None:
        self.folder, self.tokenizer = Path(folder), tokenizer

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Watch the model. Raises InputError if there is no tokenizer."""
        self.tokenizer = self.tokenizer or kwargs.get("processing_class")
        if self.tokenizer is None:
            raise InputError("LogSeen: the Trainer has no processing_class; give LogSeen one")
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"process-{args.process_index}.jsonl"
        self.lines = file.open("a" if state.global_step else "w", encoding="utf-8")
        self.step = state.global_step
        self._write(resumed_after=self.step)
        self.hook = kwargs["model"].register_forward_pre_hook(self._log, with_kwargs=True)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count the step and flush the file."""
        self.step = state.global_step
        self.lines.flush()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Stop watching the model and close the file."""
        self.hook.remove()
        self.lines.close()

    def _log(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not model.training:
            return  # an evaluation
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None:
            raise InputError("LogSeen: the model is called without input_ids")
        token_ids = sequences(ids, kwargs.get("attention_mask"), kwargs.get("position_ids"))
        texts = self.tokenizer.batch_decode(token_ids, skip_special_tokens=True)
        self._write(step=self.step + 1, texts=texts)

    def _write(self, **record: Any) -> None:
        self.lines.write(json.dumps(record) + "\n")


def sequences(ids: Any, mask: Any = None, positions: Any = None) -> list[list[int]]:
    """Return the sequences of a (B, L) batch without padding, and packed ones separately.

    A packed sequence begins where `positions` are 0 or the number in `mask` changes, if the trainer
    passes them; a mask of 0 is padding. Both are (B, L); positions may be (1, L) or, for images,
    (3, B, L).
    """
    ids = ids.detach().cpu()
    has_mask = getattr(mask, "ndim", None) == 2
    segments = mask.cpu()[:, -ids.shape[1] :] if has_mask else torch.ones_like(ids)
    is_start = torch.zeros_like(ids, dtype=torch.bool)
    is_start[:, 1:] = segments[:, 1:] != segments[:, :-1]
    if positions is not None:
        positions = positions.cpu().reshape(-1, *positions.shape[-2:])[0].expand_as(ids)
        # Some trainers give all padding the position 0.
        is_start[:, 1:] |= (positions[:, 1:] == 0) & (positions[:, :-1] != 0)
    result = []
    for row, segment, starts in zip(ids, segments, is_start, strict=True):
        cuts = starts.nonzero().flatten().tolist()
        for start, stop in zip([0, *cuts], [*cuts, len(row)], strict=True):
            if start < stop and segment[start]:
                result.append(row[start:stop].tolist())
    return result

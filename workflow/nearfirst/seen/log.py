"""Log what a trainer feeds its model: `trainer.add_callback(LogSeen("seen"))`.

`nearfirst check-order` compares the log with the pool. It is taken where the model is called, so
that it holds what was trained on, whatever samplers, collators and packing have done before.
"""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from nearfirst.common.errors import InputError


class LogSeen(TrainerCallback):  # type: ignore[misc]
    """Write the text of every training sequence to `FOLDER/process-N.jsonl`, a line a call.

    A resumed run goes on in the same folder; one from the start replaces what is there.

    Parameters
    ----------
    folder
        Where to write; each process has a file of its own.
    tokenizer
        What decodes the tokens; by default the Trainer's `processing_class`.
    """

    def __init__(self, folder: str | Path, tokenizer: Any = None) -> None:
        self.folder, self.tokenizer = Path(folder), tokenizer

    def on_train_begin(
        self,
        args: Any,
        state: Any,
        control: Any,
        model: Any = None,
        processing_class: Any = None,
        **_: Any,
    ) -> None:
        """Watch the model. Raises InputError if there is no tokenizer."""
        self.tokenizer = self.tokenizer or processing_class
        if self.tokenizer is None:
            raise InputError("LogSeen: the Trainer has no processing_class; give LogSeen one")
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"process-{args.process_index}.jsonl"
        self.lines = file.open("a" if state.global_step else "w", encoding="utf-8")
        self.step = state.global_step
        self._write(resumed_after=self.step)
        self.hook = model.register_forward_pre_hook(self._log, with_kwargs=True)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count the step, and have it in the file."""
        self.step = state.global_step
        self.lines.flush()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Leave the model alone."""
        self.hook.remove()
        self.lines.close()

    def _log(self, model: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        if not model.training:
            return  # an evaluation
        ids = named.get("input_ids", positional[0] if positional else None)
        if ids is None:
            raise InputError("LogSeen: the model is called without input_ids")
        found = sequences(ids, named.get("attention_mask"), named.get("position_ids"))
        texts = self.tokenizer.batch_decode(found, skip_special_tokens=True)
        self._write(step=self.step + 1, texts=texts)

    def _write(self, **record: Any) -> None:
        self.lines.write(json.dumps(record) + "\n")


def sequences(ids: Any, mask: Any = None, positions: Any = None) -> list[list[int]]:
    """Return the sequences of a (B, L) batch without padding, packed ones one by one.

    A packed sequence begins where `positions` are 0 or the number in `mask` changes, as far as the
    trainer gives them; a mask of 0 is padding. Both are (B, L); positions may be (1, L) or, of
    images, (3, B, L).
    """
    ids = ids.detach().cpu()
    whole = mask is None or not hasattr(mask, "ndim") or mask.ndim != 2
    part = torch.ones_like(ids) if whole else mask.cpu()[:, -ids.shape[1] :]
    begins = torch.zeros_like(ids, dtype=torch.bool)
    begins[:, 1:] = part[:, 1:] != part[:, :-1]
    if positions is not None:
        places = positions.cpu().reshape(-1, *positions.shape[-2:])[0].expand_as(ids)
        # Some trainers give all of the padding the position 0.
        begins[:, 1:] |= (places[:, 1:] == 0) & (places[:, :-1] != 0)
    found = []
    for row, its, starts in zip(ids, part, begins, strict=True):
        cuts = starts.nonzero().flatten().tolist()
        for start, stop in zip([0, *cuts], [*cuts, len(row)], strict=True):
            if start < stop and its[start]:
                found.append(row[start:stop].tolist())
    return found

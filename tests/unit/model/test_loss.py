"""The loss: by hand, and one place for training and evaluation."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from training import difference, train, weights

from nearfirst.evaluate.losses import losses as evaluate
from nearfirst.model import load, loss
from nearfirst.model.check import check_model
from nearfirst.model.template import IGNORED, encode
from nearfirst.train.settings import TrainSettings


def test_by_hand() -> None:
    logits = torch.tensor([[0.0, np.log(3)], [0.0, 0.0], [5.0, -5.0]], dtype=torch.float16)
    losses = loss.token_losses(logits, torch.tensor([1, 0, IGNORED]))
    assert losses.dtype == torch.float32
    np.testing.assert_allclose(losses, [-np.log(3 / 4), np.log(2), 0], rtol=0, atol=1e-3)
    # Position t predicts label t + 1; 2 of the step's 3 labels are in this micro-batch.
    labels = torch.tensor([[IGNORED, 1, 0]])
    ids = torch.zeros_like(labels)
    model = Mock(return_value=Mock(logits=logits[None]))
    model.get_output_embeddings.return_value = None
    part = loss.step_loss(model, {"input_ids": ids, "labels": labels}, torch.tensor(3))
    assert float(part) == pytest.approx(float(losses[:2].sum()) / 3)


def test_another_loss_is_that_of_training_and_of_evaluation(
    tmp_path: Path,
    model_folder: Path,
    some_talks: Any,
    tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = encode(some_talks(8), tokenizer, 100)
    model = load.load_model(str(model_folder)).eval()
    descent = {"learning_rate": 0.1, "epsilon": 1.0, "gradient_clipping": 1e9}
    settings = TrainSettings(batch_size=8, checkpoint_every=1, **descent)
    original = loss.token_losses
    evaluated, moved = [], []
    for scale in (1, 2):
        monkeypatch.setattr(loss, "token_losses", lambda *args, by=scale: by * original(*args))
        check_model(model, tokens)
        evaluated.append(evaluate(model, tokens, 512))
        folder, _ = train(model_folder, tokens, settings, tmp_path / f"{scale}")
        moved.append(difference(weights(folder, 0), weights(folder, 1)))
    np.testing.assert_allclose(evaluated[1], 2 * evaluated[0], rtol=1e-6)
    assert moved[1] > 1.5 * moved[0]

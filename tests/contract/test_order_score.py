"""The score for orders: built from existing results, and rerun only by what it reads."""

import pandas as pd
from checkout import Checkout

TARGET = "results/order_score.pdf"
OWN = {"order_score": 1, "plot_order_score": 1}
TRAINED = {"order_runs": 1, **OWN}
CHANGES = {
    ("order_score={measures: [cosine-avg]}",): OWN,
    ("order_score={orders: 9}",): TRAINED,
    ("evaluate={batch_tokens: 1024}",): TRAINED,
    ("prediction={resamples: 200}",): OWN,
    ("look={width: 6}",): {"plot_order_score": 1},
    # Neither reruns anything.
    ("evaluate={average: 2}", "hardware={order_processes: 2}"): {},
}


def test_the_score_for_orders(copy_of_finished: Checkout) -> None:
    checkout = copy_of_finished
    assert checkout.would_run(TARGET) == TRAINED
    checkout.snakemake(TARGET)
    results = checkout.folder / "results"
    table = pd.read_csv(results / "order_score.csv")
    # Of eight orders half judge.
    assert table["step"].tolist() == [2] * 3 + [4] * 3
    assert (table["orders"] == 4).all()
    assert (table["spread"] > 0).all()
    text = (results / "order_score.txt").read_text()
    assert "Does similarity predict the effect of order?" in text
    (runs,) = (results / "order_runs/flan").iterdir()
    assert runs.name == "specialist-0.parquet"
    jobs = {changes: checkout.would_run(TARGET, "--config", *changes) for changes in CHANGES}
    assert jobs == CHANGES

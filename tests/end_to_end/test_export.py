"""`results/arranged/…`: the order of a run, for another trainer."""

import pyarrow.parquet as pq
from checkout import Checkout

ARRANGED = "results/arranged/flan"


def test_the_order_of_a_run(copy_of_finished: Checkout) -> None:
    target = f"{ARRANGED}/tma-nearest.jsonl"
    assert copy_of_finished.would_run(target) == {"export": 1}
    copy_of_finished.snakemake(target)
    # One job writes both.
    assert copy_of_finished.would_run(target, f"{ARRANGED}/tma-nearest.parquet") == {}
    results = copy_of_finished.folder / "results"
    table = pq.read_table(results / "arranged/flan/tma-nearest.parquet")
    run = pq.read_table(results / "arrangements/flan/tma-nearest/seed-0.parquet")
    assert table.select(run.column_names).equals(run)
    # The run of the first seed, and a pool whose distance matrix is not kept.
    jobs = copy_of_finished.would_run(f"{ARRANGED}/random.jsonl", "--config", "seeds=[7]")
    assert jobs == {"arrange": 1, "export": 1}
    sampled = {"sample": 2, "embed": 2, "gather_embeddings": 2}
    pool = "results/arranged/flan_full/budget-nearest.jsonl"
    assert copy_of_finished.would_run(pool) == {**sampled, **jobs}

"""`results/arranged/…`: the order of a run, for another trainer."""

import json

import pyarrow.parquet as pq
import pytest
from checkout import Checkout

from nearfirst.common.embeddings import read_embeddings
from nearfirst.distance.distances import distance_matrix

ARRANGED = "results/arranged/flan"


def test_the_order_of_a_run(copy_of_finished: Checkout) -> None:
    target = f"{ARRANGED}/tma-nearest.jsonl"
    assert copy_of_finished.would_run(target) == {"export": 1}
    copy_of_finished.snakemake(target)
    # One job writes both.
    assert copy_of_finished.would_run(target, f"{ARRANGED}/tma-nearest.parquet") == {}
    results = copy_of_finished.folder / "results"
    table = pq.read_table(results / "arranged/flan/tma-nearest.parquet")
    lines = (copy_of_finished.folder / target).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == table.to_pylist()
    run = pq.read_table(results / "arrangements/flan/tma-nearest/seed-0.parquet")
    assert table.select(run.column_names).equals(run)
    embeddings = results / "embeddings/text/flan"
    ids, train = read_embeddings(embeddings / "train.parquet")
    tests, test = read_embeddings(embeddings / "specialist-0.parquet")
    matrix = distance_matrix("cosine", train, test)
    nearest = zip((1 + matrix.min(axis=1)).tolist(), matrix.argmin(axis=1), strict=True)
    expected = {id_: (distance, tests[i]) for id_, (distance, i) in zip(ids, nearest, strict=True)}
    exported = {row["id"]: (row["distance"], row["nearest_query"]) for row in table.to_pylist()}
    assert exported == expected


@pytest.mark.parametrize(
    ("target", "config", "jobs"),
    [
        # The run of the first seed.
        ("flan/random.jsonl", ("seeds=[7]",), {"arrange": 1, "export": 1}),
        # A pool whose distance matrix is not kept.
        (
            "flan_full/budget-nearest.jsonl",
            (),
            {"sample": 2, "embed": 2, "gather_embeddings": 2, "arrange": 1, "export": 1},
        ),
    ],
)
def test_the_jobs_of_an_export(
    finished: Checkout, target: str, config: tuple[str, ...], jobs: dict[str, int]
) -> None:
    flags = ("--config", *config) if config else ()
    assert finished.would_run(f"results/arranged/{target}", *flags) == jobs

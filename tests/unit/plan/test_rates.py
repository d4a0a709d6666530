"""Lengths of runs, rates from benchmark files, and the hours that come of them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table
from nearfirst.config import Config, load
from nearfirst.plan.dry_run import Job
from nearfirst.plan.lengths import Lengths
from nearfirst.plan.plan import Plan, make_plan
from nearfirst.plan.project import Project
from nearfirst.plan.rates import Rate, cost_of, measured, work_of
from nearfirst.plan.text import size, text_of

PRESETS = Path(__file__).parents[3] / "workflow/presets"
HEAD = "s\th:m:s\tmax_rss\n"


def config_of(preset: str, **changes: Any) -> Config:
    return load({"preset": preset, **changes}, PRESETS)


def job(rule: str, stop: str = "end", start: int = 0, seed: int = 0, **more: str) -> Job:
    run = {"dataset": "flan", "arrangement": "random", "seed": str(seed)}
    said = {**run, "start": str(start), "stop": stop, **more}
    if rule != "train":
        said["test"] = "specialist-0"
    name = "_".join(said.values())
    benchmark = f"results/benchmarks/{rule}/{name}.tsv"
    return Job(rule, said, (f"results/{rule}/{name}",), {"runtime": "60"}, benchmark)


def write_rows(path: str, rows: int) -> None:
    write_table(pa.table({"id": list(map(str, range(rows)))}), Path(path))


def benchmark(job: Job, seconds: float) -> None:
    assert job.benchmark
    path = Path(job.benchmark)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEAD}{seconds}\t0:00:00\tNA\n")


@pytest.fixture(autouse=True)
def project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_length_of_an_epoch_is_known_from_what_is_there() -> None:
    lengths = Lengths(config_of("mini"), set())
    assert lengths.stop("flan", "random", "0", "end") is None
    write_rows("results/instances/flan/train.parquet", 100)
    found = lengths.stop("flan", "random", "0", "end")
    assert found
    # 100 / 16, the last step with fewer.
    assert (found.number, found.exact) == (7, True)
    # Only some rounds of them: how many is seen in the arrangement.
    some = lengths.stop("flan", "tma-rounds-0", "0", "end")
    assert some
    assert (some.number, some.exact) == (7, False)
    write_rows("results/arrangements/flan/tma-rounds-0/seed-0.parquet", 33)
    some = lengths.stop("flan", "tma-rounds-0", "0", "end")
    assert some
    assert (some.number, some.exact) == (3, True)
    given = lengths.stop("flan", "random", "0", "300")
    assert given
    assert given.number == 300


def test_a_table_that_is_made_again_does_not_count() -> None:
    path = "results/instances/flan/train.parquet"
    write_rows(path, 100)
    assert Lengths(config_of("mini"), {path}).instances("flan", "train") is None


def test_sizes_of_splits_before_there_are_any() -> None:
    paper, mini = Lengths(config_of("paper"), set()), Lengths(config_of("mini"), set())
    for lengths, dataset, split, number, exact in (
        (paper, "flan", "train", 28751, True),  # Table 4
        (paper, "flan", "specialist-0", 1121, True),
        (paper, "flan", "specialist-1", 225 * 5, False),
        (paper, "p3", "generalist-1", 120, True),
        (paper, "norobots", "heldout", 200, True),
        (mini, "sharegpt", "train", 900 - 80, False),
    ):
        found = lengths.instances(dataset, split)
        assert found
        assert (found.number, found.exact) == (number, exact)
    assert paper.instances("norobots", "train") is None
    assert mini.instances("flan", "specialist-0") is None


def test_the_rate_is_the_median_of_jobs_that_are_done() -> None:
    lengths = Lengths(config_of("paper"), set())
    done = [job("train", "300"), job("train", "600", 300), job("train", "1797", 1500)]
    for its, seconds in zip(done, (300, 1200, 891), strict=True):  # 1, 4 and 3 s a step
        benchmark(its, seconds)
    rate = measured("train", [*done, job("train", "900", 600), job("evaluate", "300")], lengths)
    assert rate == Rate(3, "step", "measured in results/benchmarks/train, 3 jobs")
    assert measured("evaluate", done, lengths) is None


def test_evaluation_is_measured_by_instance_and_checkpoint() -> None:
    lengths = Lengths(config_of("paper"), set())
    done = job("evaluate", "300")
    benchmark(done, 31 * 1121 * 0.5)
    rate = measured("evaluate", [done], lengths)
    assert rate
    assert rate.seconds == pytest.approx(0.5)
    work = work_of(done, lengths)
    assert work
    assert work.amounts == {"checkpoint": 31, "instance of a checkpoint": 31 * 1121}


def test_hours_are_those_of_all_gpus_of_a_job() -> None:
    config = config_of("paper", hardware={"train": {"gpus": 2}})
    jobs = [job("train", "300"), job("train", "600", 300)]
    lengths = Lengths(config, set())
    cost = cost_of("train", jobs, Rate(12, "step", "given"), lengths, config.hardware)
    assert cost.work == 600
    assert cost.hours == pytest.approx(2)
    assert cost.gpu_hours == pytest.approx(4)
    # Two jobs of 60 minutes as they ask, not as the config says.
    assert cost.requested_gpu_hours == pytest.approx(4)


def test_nothing_is_invented_without_a_rate_or_a_length() -> None:
    config = config_of("mini")
    lengths = Lengths(config, set())
    cost = cost_of("train", [job("train")], Rate(1, "step", "given"), lengths, config.hardware)
    assert (cost.hours, cost.uncounted) == (None, 1)
    cost = cost_of("train", [job("train", "300")], None, lengths, config.hardware)
    assert (cost.work, cost.hours, cost.gpu_hours, cost.rate) == (300, None, None, None)


@pytest.mark.parametrize("text", ["", HEAD, "a\tb\n1\t2\n", f"{HEAD}NA\t-\t-\n"])
def test_a_broken_benchmark_file_is_named(text: str) -> None:
    done = job("train", "300")
    benchmark(done, 1)
    path = Path(str(done.benchmark))
    path.write_text(text)
    with pytest.raises(InputError, match=f"^{path}: no benchmark"):
        measured("train", [done], Lengths(config_of("paper"), set()))


def plan_of(config: Config, needed: list[Job], everything: list[Job], **more: Any) -> Plan:
    project = Project(config, frozenset({"fetch"}), submits=True)
    flags: dict[str, Any] = {"parameters": None, "at_once": None, "rates": {}, **more}
    return make_plan(project, needed, needed, everything, **flags)


def test_jobs_that_will_run_again_are_no_measure() -> None:
    config = config_of("paper")
    old, new = job("train", "300"), job("train", "300", seed=1)
    for its in (old, new):
        benchmark(its, 600)
    (cost,) = plan_of(config, [old, new], [old, new]).costs
    assert cost.rate is None
    (cost,) = plan_of(config, [new], [old, new]).costs
    assert cost.rate
    assert cost.rate.seconds == 2
    # What the user says counts more.
    (cost,) = plan_of(config, [new], [old, new], rates={"train": Rate(5, "step", "given")}).costs
    assert cost.rate
    assert cost.rate.seconds == 5


def test_the_text_says_what_is_not_known() -> None:
    unknown = plan_of(config_of("mini"), [job("train")], [])
    text = text_of(unknown, "title")
    assert "1 run of a length not known yet" in text
    assert "snakemake results/instances/flan/train.parquet" in text
    assert "no rate measured; 1 job not counted" in text
    unnamed = config_of("paper", model={"parameters": "null"})
    text = text_of(plan_of(unnamed, [job("train", "300")], []), "title")
    assert "--parameters" in text
    assert "TB" not in text
    assert "all is up to date" in text_of(plan_of(unnamed, [], []), "title")


def test_answers_lift_the_bound_on_checkpoints() -> None:
    config = config_of("paper", keep_checkpoints=False)
    trained = [job("train", str(b), b - 300) for b in range(300, 1501, 300)]
    losses = [job("evaluate", str(b), b - 300) for b in range(300, 1501, 300)]
    one, state = 13_476_831_232, 12 * 6_738_415_616
    assert plan_of(config, [*trained, *losses], []).peak_bytes == 61 * one + 4 * state
    answers = [*trained, *losses, job("generate", "300")]
    late = plan_of(config, answers, [])
    assert late.peak_bytes == 151 * one + 4 * state
    assert "may be made late" in text_of(late, "title")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (13_476_831_232, "13.5 GB"),
        (2_439_306_452_992, "2.44 TB"),
        (12_345_000_000_000_000_000, "12,345 PB"),
    ],
)
def test_bytes_have_three_digits_and_a_unit(number: int, text: str) -> None:
    assert size(number) == text

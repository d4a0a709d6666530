"""An edit reruns the stages that read it, those downstream, and nothing else."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from checkout import Checkout

TARGET = "results/fig4_flan.pdf"
# Two seeds of three arrangements; two of these use distances.
RUNS, BY_DISTANCE = 6, 4

FIGURE = {"curves": 1, "compare": 1, "plot": 1}


def downstream_of_training(runs: int) -> dict[str, int]:
    return {"train": runs, "evaluate": runs, **FIGURE}


def downstream_of_distances() -> dict[str, int]:
    return {"arrange": BY_DISTANCE, **downstream_of_training(BY_DISTANCE)}


EMBEDDING = {"embed": 2, "gather_embeddings": 2}
BOTH_SPLITS = {
    "sample": 2,
    **EMBEDDING,
    "distances": 1,
    "arrange": RUNS,
    **downstream_of_training(RUNS),
}
# Random runs are arranged and trained without the test set.
TEST_SPLIT_EMBEDDED = {
    "embed": 1,
    "gather_embeddings": 1,
    "distances": 1,
    **downstream_of_distances(),
}
TEST_SPLIT = {**TEST_SPLIT_EMBEDDED, "sample": 1, "evaluate": RUNS}
PRETRAINING = {"pretrain": 2, "base_skills": 1, **downstream_of_training(RUNS)}
TRAIN_SPLIT = {**BOTH_SPLITS, "sample": 1, "embed": 1, "gather_embeddings": 1}

CONFIG_CHANGES = {
    "corpus={seed: 1}": {"generate_corpus": 1, **BOTH_SPLITS},
    "data={flan: {sample: {split_seed: 1}}}": BOTH_SPLITS,
    "data={flan: {sample: {train_seed: 1}}}": TRAIN_SPLIT,
    "data={flan: {sample: {specialist_per_task: 3}}}": TEST_SPLIT,
    # Another test set has other files.
    "data={flan: {test: specialist-1}}": TEST_SPLIT,
    # The orders and what is downstream; nothing is sampled or embedded again.
    "data={flan: {exclude: {exact: true, near_embedding: 0.9}}}": {
        "exclude": 1,
        "arrange": RUNS,
        **downstream_of_training(RUNS),
    },
    # Another query set: its sample, and the orders that use it.
    "data={flan: {query: specialist-1}}": {"sample": 1, **TEST_SPLIT_EMBEDDED},
    "model={text: {seed: 1}}": {"generate_text": 1, **PRETRAINING},
    "model={pretrain: {learning_rate: 0.001}}": PRETRAINING,
    "representations={text: {batch_tokens: 1024}}": {
        **EMBEDDING,
        "distances": 1,
        **downstream_of_distances(),
    },
    # Which part of a test instance is embedded does not change the training data.
    "representations={text: {query_text: instruction}}": TEST_SPLIT_EMBEDDED,
    "distance={measure: euclidean}": {"distances": 1, **downstream_of_distances()},
    "arrangements={tma-nearest: {within_round: pool}}": {
        # Pool order has no seed, but each run has another base model.
        "arrange": 2,
        **downstream_of_training(2),
    },
    "template={max_length: 200}": downstream_of_training(RUNS),
    "train={learning_rate: 0.002}": downstream_of_training(RUNS),
    "train={schedule: linear, warmup_steps: 2}": downstream_of_training(RUNS),
    # The order is the same; both seeds of one arrangement are trained.
    "arrangements={tma-nearest: {schedule: constant}}": downstream_of_training(2),
    "evaluate={batch_tokens: 1024}": {"evaluate": RUNS, **FIGURE},
    "evaluate={average: 2}": {"evaluate": RUNS, **FIGURE},
    "curves={confidence: 0.9}": {"curves": 1, "plot": 1},
    "curves={weighting: token}": FIGURE,
    "comparison={resamples: 500}": {"compare": 1, "plot": 1},
    "look={width: 6}": {"plot": 1},
    "figures={fig4_flan: {caption: Others.}}": {"plot": 1},
    "figures={fig4_flan: {curves: {near: tma-nearest, RT: random}, reference: RT}}": FIGURE,
    # One more seed only adds its runs.
    "seeds=[0, 1, 2]": {"pretrain": 1, "base_skills": 1, "arrange": 3, **downstream_of_training(3)},
}

NOT_READ = (
    # Only the dialogues read it.
    "corpus={conversations: 70}",
    "data={flan: {sample: {generalist: 17}}, "
    "niv2: {exclude: {exact: true}, sample: {split_seed: 1}}}",
    # No row refers to it.
    "representations={question: {text: instruction}}",
    "arrangements={tma-nearest: {farthest: reverse}}",
    # Losses on other data sets are separate tables.
    "evaluate={also: [niv2]}",
    "similarity={ngram: 3}",
    "loss_types={within_steps: 4}",
    "prediction={resamples: 200}",
    "generalization={threshold: 0.1}",
    "figures={fig4_flan: {section: Figure 5}, mine: {like: fig4_flan}, "
    "fig6_p3: {test: specialist-0}}",
    # Hardware changes no result.
    "hardware={train: {memory_mb: 2000, state_every: 7}, embed: {minutes: 9}, threads: 1}",
    "report_to=tensorboard",
    # The value that it already has.
    "train={learning_rate: 0.001}",
)
"""Values that the figure does not read, in one dry run: none of them may rerun anything."""


@pytest.mark.parametrize("change", CONFIG_CHANGES)
def test_a_changed_config_value_reruns_exactly_its_stages(finished: Checkout, change: str) -> None:
    assert finished.would_run(TARGET, "--config", change) == CONFIG_CHANGES[change]


def test_values_that_the_figure_does_not_read_rerun_nothing(finished: Checkout) -> None:
    assert finished.would_run(TARGET, "--config", *NOT_READ) == {}
    # On its own, for it changes what training waits for.
    assert finished.would_run(TARGET, "--config", "keep_checkpoints=false") == {}


def test_how_checkpoints_are_evaluated_changes_no_order(copy_of_finished: Checkout) -> None:
    order = "results/arrangements/flan/by-loss/seed-0.parquet"
    copy_of_finished.snakemake(order)
    assert copy_of_finished.would_run(order, "--config", "evaluate={average: 2}") == {}


def test_kept_checkpoints_are_evaluated_if_they_are_not_to_be_kept_longer(
    copy_of_finished: Checkout,
) -> None:
    folder, run = "results/losses/flan/specialist-0", "random/seed-0"
    losses = [f"{folder}/{run}/{segment}.parquet" for segment in ("0-2", "2-4", "4-6")]
    kept = ("--config", "train={steps: 6, segment_steps: 2, checkpoint_every: 2}")
    copy_of_finished.snakemake(*losses, *kept)
    config = (*kept, "keep_checkpoints=false")
    assert copy_of_finished.would_run(*losses, *config) == {}
    anew = (*config, "evaluate={batch_tokens: 1024}")
    assert copy_of_finished.would_run(*losses, *anew) == {"evaluate": 3}
    (copy_of_finished.folder / losses[-1]).unlink()
    assert copy_of_finished.would_run(*losses, *config) == {"evaluate": 1}


def test_a_new_figure_of_existing_runs_computes_only_its_own_files(finished: Checkout) -> None:
    curves = "curves: {near: tma-nearest, RT: random}, reference: RT"
    row = f"figures={{mine: {{like: fig4_flan, {curves}}}}}"
    assert finished.would_run("results/mine.pdf", TARGET, "--config", row) == FIGURE


def test_touched_files_and_reordered_config_rerun_nothing(finished: Checkout) -> None:
    for path in finished.folder.glob("workflow/**/*.py"):
        path.touch()
    for name in ("config.yaml", "Snakefile"):
        (finished.folder / name).touch()
    presets = finished.folder / "workflow/presets/tiny.yaml"
    lines = "train:\n  checkpoint_every: 4\n  learning_rate: 1.0e-3\n"
    old = "train:\n  learning_rate: 1.0e-3\n  checkpoint_every: 4\n"
    assert old in presets.read_text()
    with edited(presets, presets.read_text().replace(old, lines)):
        assert finished.would_run(TARGET) == {}


EDITS = {
    # The dialogue data sets contain small talk too.
    "corpus/words/text.yaml": {
        "generate_text": 1,
        "generate_corpus": 1,
        **BOTH_SPLITS,
        **PRETRAINING,
    },
    "corpus/words/tasks.yaml": {"generate_corpus": 1, **BOTH_SPLITS},
    "data/formats/flan.py": BOTH_SPLITS,
    "model/pretrain.py": PRETRAINING,
    "model/forced_choice.py": {"base_skills": 1, "plot": 1},
    "embed/encode.py": {**EMBEDDING, "distances": 1, **downstream_of_distances()},
    "distance/distances.py": {"distances": 1, "arrange": RUNS, **downstream_of_training(RUNS)},
    "arrange/registry.py": {"arrange": RUNS, **downstream_of_training(RUNS)},
    "train/segment.py": downstream_of_training(RUNS),
    "evaluate/losses.py": {"evaluate": RUNS, **FIGURE},
    # A new metric trains and evaluates nothing again.
    "metrics.py": FIGURE,
    "figures/curves.py": {"curves": 1, "plot": 1},
    "../scripts/figure_numbers.py": {"curves": 1, "plot": 1},
    "figures/comparison/paired.py": {"compare": 1, "plot": 1},
    "figures/kinds/arrangements.py": FIGURE,
    "figures/plot/curves.py": {"plot": 1},
    # What an unfinished job keeps is identified with its code.
    "common/source_files.py": {
        **EMBEDDING,
        "distances": 1,
        "arrange": BY_DISTANCE,
        **downstream_of_training(RUNS),
    },
}


@pytest.mark.parametrize("module", EDITS)
def test_an_edited_module_reruns_exactly_what_imports_it(finished: Checkout, module: str) -> None:
    path = finished.folder / "workflow/nearfirst" / module
    with edited(path, f"{path.read_text()}\n# edited\n"):
        assert finished.would_run(TARGET) == EDITS[module]


NOT_IMPORTED = (
    # `sample.py` reads only the format of its data set.
    "data/formats/niv2.py",
    # Only the Snakefile reads it.
    "config/model.py",
    *("tables/splits.py", "data/fetch.py", "distance/similarity.py", "score/table.py"),
    *("generate/answers.py", "figures/loss_types.py", "figures/kinds/tasks.py"),
    *("figures/plot/correlations.py", "report/provenance.py", "report/record.py"),
)
"""Modules that no program of the figure imports, edited at once: none may rerun anything."""


def test_other_modules_rerun_nothing(finished: Checkout) -> None:
    with ExitStack() as stack:
        for module in NOT_IMPORTED:
            path = finished.folder / "workflow/nearfirst" / module
            stack.enter_context(edited(path, f"{path.read_text()}\n# edited\n"))
        assert finished.would_run(TARGET) == {}


def test_a_table_of_figures_reruns_for_an_edited_kind(copy_of_finished: Checkout) -> None:
    table = "results/generalization.csv"
    copy_of_finished.append_to_config("tables: {generalization: [fig4_flan]}\n")
    copy_of_finished.snakemake(table)
    assert copy_of_finished.would_run(table) == {}
    for module in ("shapes.py", "kinds/arrangements.py"):
        path = copy_of_finished.folder / "workflow/nearfirst/figures" / module
        with edited(path, f"{path.read_text()}\n# edited\n"):
            assert copy_of_finished.would_run(table) == {"generalization": 1}


@contextmanager
def edited(path: Path, text: str) -> Iterator[None]:
    old = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(old)

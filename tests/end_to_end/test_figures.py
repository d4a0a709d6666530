"""Every figure and table of the tiny preset."""

import pandas as pd
from checkout import ROOT, Checkout

from nearfirst.config import load
from nearfirst.distance.settings import MEASURES
from nearfirst.takeaways.claims import BY_NAME

FIGURES = list(load({"preset": "tiny"}, ROOT / "workflow/presets").figures)
TAKEAWAYS = {"takeaways": 1, "plot_takeaways": 1}


def table(checkout: Checkout, name: str) -> pd.DataFrame:
    return pd.read_csv(checkout.folder / f"results/{name}.csv")


def test_every_figure_has_its_numbers_and_its_caption(everything: Checkout) -> None:
    results = everything.folder / "results"
    for name in FIGURES:
        assert (results / f"{name}.pdf").read_bytes().startswith(b"%PDF"), name
        assert len((results / f"{name}.txt").read_text().split()) > 20, name
        assert len(table(everything, name)), name


def test_figures_of_tasks_show_the_tasks_of_their_rows(everything: Checkout) -> None:
    assert table(everything, "fig2_permutations")["task"].nunique() == 3
    picked = [table(everything, f"fig{n}_seeds")["task"].unique() for n in (7, 8, 9, 10)]
    assert [len(tasks) for tasks in picked] == [1] * 4
    assert len({tasks[0] for tasks in picked}) == 4
    assert table(everything, "fig7_seeds")["test"].nunique() == 3
    nine = table(everything, "nine_similarities")
    # The minimum and maximum of the Euclidean distance repeat those of the cosine.
    shown = [name for name in MEASURES if name not in ("euclidean-min", "euclidean-max")]
    assert list(nine["panel"].unique()) == ["loss", *shown]


def test_every_claim_has_a_row(everything: Checkout) -> None:
    rows = table(everything, "takeaways")
    assert list(rows["claim"].unique()) == list(BY_NAME)
    assert (rows["verdict"] != "not testable here").sum() > 15


def test_everything_is_up_to_date_afterwards(everything: Checkout) -> None:
    assert everything.would_run() == {}


def test_changes_rerun_only_their_figures(everything: Checkout) -> None:
    for change, expected in {
        "loss_types={within_steps: 4}": {"loss_types": 1, "plot": 1},
        "prediction={resamples: 200}": {"prediction": 1, "plot": 1, **TAKEAWAYS},
        "takeaways={alpha: 0.01}": TAKEAWAYS,
        "generalization={threshold: 0.1}": {"generalization": 1},
        "look={panel_width: 3}": {"plot": len(FIGURES), "plot_exploration": 6, "plot_takeaways": 1},
        "figures={fig2_permutations: {pick: [2, 0, 2]}}": {"task_curves": 1, "plot": 1},
        "arrangements={tma-rounds-5: {within_round: pool}}": {
            **{"arrange": 1, "train": 1, "evaluate": 1},
            **{"curves": 1, "compare": 1, "comparisons": 1, "plot": 1, **TAKEAWAYS},
        },
    }.items():
        assert everything.would_run("--config", change) == expected, change
    jobs = everything.would_run("--config", "similarity={ngram: 3}")
    assert jobs.pop("similarity") == 3 + 2
    # nine_similarities, fig11_scaled, similarity_vs_loss and the takeaways read them.
    assert jobs == {"task_curves": 2, "prediction": 1, "plot": 3, **TAKEAWAYS}

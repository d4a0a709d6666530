"""Where each figure stands in the report, and the text below it.

`snakemake --report` reads this through the templates in `report/`; no program does.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

OWN = "Your data"
# After the figures: the page sorts headings as text.
BEYOND = "Further, beyond the paper"
BEFORE = "Before training"
_SEEDS = "Figure 7 to 10, samples of the test set"

PLACES = {
    "fig1_scores": ("Figure 1, metrics while tuning", "left, ROUGE and Exact Match"),
    "fig1_reward": ("Figure 1, metrics while tuning", "middle, reward"),
    "fig1_loss": ("Figure 1, metrics while tuning", "right, loss"),
    "fig2_permutations": ("Figure 2, order of tasks", "single unseen tasks"),
    "fig3_similarity": ("Figure 3, order by similarity", "left, instances by distance"),
    "fig3_granularity": ("Figure 3, order by similarity", "right, instances or whole tasks"),
    "fig4_flan": ("Figure 4, order by rounds of TMA", "left, Flan-mini"),
    "fig4_sharegpt": ("Figure 4, order by rounds of TMA", "middle, ShareGPT"),
    "fig4_norobots": ("Figure 4, order by rounds of TMA", "right, NoRobots"),
    "fig5_rounds": ("Figure 5, a few rounds alone", "early and late rounds"),
    "fig6_niv2": ("Figure 6, rewards of right and wrong answers", "left, NIV2"),
    "fig6_flan": ("Figure 6, rewards of right and wrong answers", "middle, Flan-mini"),
    "fig6_p3": ("Figure 6, rewards of right and wrong answers", "right, P3"),
    "fig7_seeds": (_SEEDS, "Figure 7"),
    "fig8_seeds": (_SEEDS, "Figure 8"),
    "fig9_seeds": (_SEEDS, "Figure 9"),
    "fig10_seeds": (_SEEDS, "Figure 10"),
    "fig11_scaled": ("Figure 11, scaled similarity", "loss and two distances"),
    "fig12_selection": ("Figure 12, which rounds to take", "first, last, or both"),
    "nine_similarities": ("Section B.4, nine similarities", "loss and nine distances"),
    "loss_types": ("Section A.6, ways in which loss falls", "unseen tasks by type"),
    "similarity_vs_loss": (BEYOND, "does similarity predict loss?"),
}
"""Category and label of each figure, as the paper orders them."""


def category(name: str) -> str:
    """Return the heading that a figure stands under in the report.

    The page sorts headings as text: a number of one digit gets a second space before it, which a
    browser does not show, so that Figure 2 comes before Figure 10.
    """
    if name in PLACES:
        heading = PLACES[name][0]
    elif name.endswith("_mine"):
        heading = OWN
    else:
        heading = BEFORE if name.startswith("explore_") else BEYOND
    return re.sub(r"^Figure (?=\d\D)", "Figure  ", heading)


def label(name: str) -> str:
    """Return what the report calls a figure among those of its heading."""
    return PLACES[name][1] if name in PLACES else name


class Made:
    """What made a figure, as a parameter of the rule that draws it.

    Snakemake records plain values of `params` and reruns when they change. An object is none: a
    key of the config that changes nothing in the figure draws nothing anew.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    def __str__(self) -> str:
        return json.dumps(self._config)

    def text(self, path: str) -> str:
        """Return a text file as one paragraph of reStructuredText, all marks taken literally."""
        return re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(Path(path).read_text().split()))

    def block(self, path: str) -> str:
        """Return a text file as the body of a literal block."""
        return textwrap.indent(Path(path).read_text(), "    ")

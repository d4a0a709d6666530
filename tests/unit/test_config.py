"""The config: presets, faults that name the key, and pages that must agree with the model."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from configs import PRESETS, nested, refusal
from documents import ROOT, generator

from nearfirst.arrange.settings import TRAINING_KEYS
from nearfirst.common.errors import InputError
from nearfirst.config import Config, check_repeats, load


def get(config: object, key: str) -> Any:
    for name in key.split("."):
        config = config[name] if isinstance(config, dict) else getattr(config, name)
    return config


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested sections by dotted key."""
    values = {}
    for name, value in content.items():
        key = f"{prefix}{name}"
        # Labels are values.
        is_section = isinstance(value, dict) and not re.fullmatch(
            r"figures\..*\.curves|look\.\w+|tables\.table4\.splits|.*\.sha256", key
        )
        values |= flat(value, f"{key}.") if is_section else {key: value}
    return values


# Presets -------------------------------------------------------------------------------------


def test_the_paper_preset_is_table_2_of_the_paper() -> None:
    train = load({"preset": "paper"}, PRESETS).train
    adam = (train.learning_rate, train.beta1, train.beta2, train.epsilon, train.weight_decay)
    assert adam == (1e-6, 0.9, 0.95, 1e-5, 0.0)
    assert (train.batch_size, train.gradient_clipping) == (16, 1.0)
    assert (train.checkpoint_every, train.checkpoint_dtype) == (10, "float16")


@pytest.mark.parametrize("name", ["big", 3, "mini.yaml"])
def test_an_unknown_preset(name: object) -> None:
    assert f"{str(name)!r} is not one of the presets base, mini" in refusal({"preset": name})


def test_no_preset_answers_in_an_arithmetic_in_which_batches_matter() -> None:
    for preset in PRESETS.glob("*.yaml"):
        assert load({"preset": preset.stem}, PRESETS).generate.precision != "float16"


# Values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "given_", "expected"),
    [
        # Snakemake's --config gives text where YAML has nested keys in quotes.
        ("train.steps", "20", 20),
        ("train.learning_rate", "2e-6", 2e-6),
        ("keep_checkpoints", "true", True),
        ("data.flan.sample.unseen_tasks", "0.25", 0.25),
        ("data.flan.sample.unseen_tasks", "12", 12),
        ("seeds", ["3", 4], [3, 4]),
        ("data.flan.sample.train_per_task", "null", None),
        ("data.flan.hub", "null", None),
        ("arrangements.tma-rounds-0.steps", "null", None),
    ],
)
def test_values_as_the_command_line_gives_them(key: str, given_: object, expected: object) -> None:
    value = get(load(nested(key, given_), PRESETS), key)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize("section", ["train", "data.flan", "data.flan.sample", "figures", "look"])
def test_an_empty_section_changes_nothing(section: str) -> None:
    assert load(nested(section, None), PRESETS) == load({}, PRESETS)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        # One value
        ("train.learning_rate", "fast", "number"),
        ("arrangements.tma-nearest.budget", -1, "a share of the pool up to 1.0, or {tokens: N}"),
        ("train", 5, ""),
        ("data.flan.sample.unseen_tasks", "1.0", "a share is below 1"),
        ("seeds", [], "at least 1"),
        ("seeds", [2**32], "less than 4294967296"),
        ("data.mine.path", "", "at least 1"),
        ("checkpoints.t.steps", {1: ""}, "at least 1"),
        # Values that do not fit together
        ("train.checkpoint_dtype", "bfloat16", "most of that is lost"),
        ("train.segment_steps", 20, "number"),
        ("train.final_rate", 1, "1.0 is not below learning_rate"),
        ("train", {"schedule": "constant", "final_rate": 1e-9}, "does not fall"),
        ("train.decay_steps", 2, "only `schedule: warmup-stable-decay` has decay steps"),
        ("train", {"steps": 9, "epochs": 2, "warmup_steps": 18}, "18 leave nothing of a run of 18"),
        (
            "train",
            {"steps": 10, "schedule": "warmup-stable-decay", "warmup_steps": 4, "decay_steps": 7},
            "decay_steps': 7, after a warm-up of 4, are more than a run of 10 steps",
        ),
        (
            "train",
            {"steps": 50, "segment_steps": 20, "epochs": 2},
            "20 does not divide an epoch of 50 steps",
        ),
        ("seeds", [0, 1, 0], "[0, 1, 0]"),
        ("train", {"steps": 40, "segment_steps": 15}, "15 is no multiple of checkpoint_every 10"),
        ("figures.fig4_flan.reference", "XYZ", "NFT, RT, FFT"),
        ("figures.fig1_loss.test", "heldout", "flan has no 'heldout'"),
        ("figures.fig7_seeds.tests", ["specialist-0", "heldout"], "flan has no 'heldout'"),
        ("tables.table4.splits.flan", ["train", "heldout"], "flan has no 'heldout'"),
        ("tables.table4.splits.sharegpt", ["specialist-0"], "it has 'heldout'"),
        ("figures.fig7_seeds.tests", ["specialist-0", "specialist-0"], "twice"),
        ("tables.metrics.test", "heldout", "niv2 has no 'heldout'"),
        ("figures.fig7_seeds", {"tasks": ["a", "b"]}, ".panels': 'test' would put 2 tasks"),
        ("figures.fig2_permutations", {"tests": ["specialist-0", "specialist-1"]}, "put 2 tests"),
        ("figures.nine_similarities", {"pick": [2, 0, 2]}, "'quantity' would put 2 tasks"),
        ("figures.fig1_scores.metrics", ["rouge1", "loss"], "do not share an axis"),
        ("scores.tokenizer", "no such", "is neither words, model, a folder here nor"),
        ("evaluate.also", ["flann"], "there is no data set 'flann'"),
        ("tables.table4.expected", {"flann": {"train": {"tasks": 3}}}, "did you mean 'flan'?"),
        ("figures.fig2_permutations.dataset", "mine", "there is no data set 'mine'"),
        ("tables.generalization", ["fig4_mine"], "there is no figure to compare 'fig4_mine'"),
        # Misspelt and misplaced keys, and those of the version before
        ("trian", 3, "(3): unknown key; did you mean 'train'?"),
        ("train.learnig_rate", 3, "(3): unknown key; did you mean 'train.learning_rate'?"),
        ("learning_rate", 3, "(3): unknown key; did you mean 'train.learning_rate'?"),
        ("data.flan.hub.revison", 3, "(3): unknown key; did you mean 'data.flan.hub.revision'?"),
        ("figures.fig4_flan.arrangements", 3, "(3): it is called 'curves' now"),
        ("data.flan.form", 3, "(3): it is called 'format' now"),
        ("embedding", 3, "(3): it is called 'representations.text' now"),
        # Rows of tables
        ("data", {"x": {"format": "flam"}}, "did you mean 'flan'?"),
        ("arrangements", {"x": {"order": "nearest"}}, "arrangements.x': method is missing"),
        ("data", {"x": {"like": "y"}, "y": {"like": "x"}}, "data.y.like': goes in a circle: x"),
        ("data", {"x": {"like": ["flan"]}}, "data.x.like': there is no ['flan']"),
        ("data", {"x": {"path": "p", "columns": {"": "prompt"}}}, "x.columns.' (''): String"),
        ("arrangements", {"random": {"method": ""}}, "arrangements.random.method': '' is none of"),
        ("data", {"x": {"like": "flann"}}, "there is no 'flann'; did you mean 'flan'"),
        ("data", {"Flan": {"path": "f"}}, "data.Flan': differs from 'flan' in case alone"),
        ("arrangements", {"$(x)": {"method": "tma"}}, "arrangements.$(x)': a name holds letters"),
        ("arrangements", {"x": 3}, "arrangements.x': 3 is not a row"),
        ("arrangements", [1], "arrangements': [1] is not a table of rows"),
        (
            "arrangements",
            {"x": {"method": "no_file.py:order"}},
            "arrangements.x.method': no_file.py: no such file",
        ),
        (
            "figures",
            {"x": {"kind": "arrangements", "dataset": "flan", "reference": "a"}},
            "figures.x.curves': it is required",
        ),
        (
            "figures",
            {"fig4_flan": {"curves": {"NFT": "tma-nearby"}, "reference": "NFT"}},
            "figures.fig4_flan.curves.NFT': there is no arrangement 'tma-nearby'",
        ),
        ("figures", {"fig4_flan": {"dataset": "flam"}}, "did you mean 'flan'?"),
        ("data", {"flan": {"query": "specialist-0"}}, "query': 'specialist-0' is the test set too"),
        ("data", {"sharegpt": {"query": "specialist-0"}}, "no 'specialist-0' where the test is"),
        (
            "data",
            {"x": {"path": "p", "test_path": "t", "query_path": "t"}},
            "query_path': it is the test set too",
        ),
        (
            "data",
            {"flan": {"exclude": {"near_text": True}}},
            "near_text' (True): expected a number",
        ),
        ("data", {"flan": {"exclude": {"representation": "txt"}}}, "did you mean 'text'?"),
        (
            "arrangements",
            {"tma-nearest": {"representation": "texts"}},
            "arrangements.tma-nearest.representation': there is no representation 'texts'",
        ),
        # A data set of the user's
        ("data.mine", {"path": None, "test": "heldout"}, ".path': set it to your pool"),
        (
            "data.mine",
            {"path": "p", "test": "specialist-0"},
            ".test': 'specialist-0' needs a task_",
        ),
        (
            "data.mine",
            {"path": "p", "test": "specialist-0", "test_path": "t", "task_column": "c"},
            ".test': 'specialist-0' holds tasks of the pool out",
        ),
        ("data.mine", {"path": "p", "columns": {"question": "prompts"}}, "'prompts' is none of"),
        (
            "data.mine",
            {"path": "p", "columns": {"a": "response", "b": "completion"}},
            "data.mine.columns'",
        ),
        ("data.mine", {"path": "p", "sample": {"held_out": 1.5}}, ".held_out' (1.5): a number"),
        ("data.mine", {"path": "p", "sample": {"heldout": 3}}, "mean 'data.mine.sample.held_out'?"),
    ],
)
def test_a_fault_names_its_key(key: str, value: object, named: str) -> None:
    lines = refusal(nested(key, value)).splitlines()
    assert any(line.startswith(f"config key '{key}") and named in line for line in lines), lines


def test_a_key_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("data:\n  mine: {path: a}\n# data:\nfigures: {a: 1,\n  a: 2}\ndata: null\n")
    with pytest.raises(InputError) as caught:
        check_repeats(file)
    lines = str(caught.value).splitlines()
    assert [re.findall(r"'.*?'|\d+", line.removeprefix(str(file))) for line in lines] == [
        ["'figures.a'", "4", "5"],
        ["'data'", "1", "6"],
    ]
    file.write_text("data: &rows {a: {path: p}}\nfigures:\n  a: *rows\n")
    check_repeats(file)


def test_all_faults_are_named_at_once() -> None:
    # Another row is like this one.
    assert len(refusal(nested("data.flan.sample", 5)).splitlines()) == 1
    message = refusal({"qqqq": 1, "train": {"threads": 0, "rate": 1}})
    assert "unknown key; the keys here are arrangements, checkpoints" in message
    assert [line[:12] for line in message.splitlines()] == ["config key '"] * 3


# Rows of tables -----------------------------------------------------------------------------


def test_a_row_starts_from_another_and_follows_it() -> None:
    config = load({"data": {"flan": {"path": "f.json", "sample": {"split_seed": 7}}}}, PRESETS)
    full = config.data["flan_full"]
    assert full.path == "f.json"
    assert (full.sample.split_seed, full.sample.train_per_task) == (7, None)  # type: ignore[attr-defined]
    assert (full.keep_distances, config.data["flan"].keep_distances) == (False, True)


def test_a_new_row_of_each_table_whose_curves_are_replaced_whole() -> None:
    config = load(
        {
            "data": {"small": {"like": "flan", "sample": {"train_per_task": 3}}},
            "arrangements": {"far-half": {"like": "budget-max", "budget": 9}},
            "figures": {"mine": {"like": "fig4_flan", "curves": {"a": "random"}, "reference": "a"}},
        },
        PRESETS,
    )
    assert config.arrangements["far-half"].model_dump(exclude_defaults=True) == {
        **{"order": "farthest", "budget": 9, "select": "last", "steps": "epoch"}
    }
    assert config.figures["mine"].curves == {"a": "random"}  # type: ignore[attr-defined]
    assert "fig4_small" in config.figures


def test_another_type_begins_the_row_anew() -> None:
    config = load({"arrangements": {"tma-rounds-0": {"method": "random"}}}, PRESETS)
    row = config.arrangements["tma-rounds-0"].model_dump(exclude_none=True)
    assert row == {"method": "random", "representation": "text", "queries": "all"}


# Pages ---------------------------------------------------------------------------------------


def uncommented() -> dict[str, Any]:
    """Return config.yaml with the # of every commented key taken away."""
    lines, inside = [], False
    for line in (ROOT / "config.yaml").read_text().splitlines():
        key = re.match(r"# (\w+):", line)
        inside = bool(key and key[1] in Config.model_fields) or (inside and line.startswith("#  "))
        if inside or not line.startswith("#"):
            lines.append(line.removeprefix("# "))
    content: dict[str, Any] = yaml.safe_load("\n".join(lines))
    return content


def test_config_yaml_shows_the_values_of_the_mini_preset() -> None:
    content = uncommented()
    assert set(content) == set(Config.model_fields) - {"comparison", "prediction", "tables"}
    mini = load({"preset": "mini"}, PRESETS)
    examples = {"data": "mine", "representations": "question", "checkpoints": "theirs"}
    for table, row in examples.items():
        assert content[table].pop(row) is None
    for key, value in flat(content).items():
        loaded = get(mini, key)
        assert value in ("auto", list(loaded) if isinstance(loaded, tuple) else loaded), key
    assert load(content, PRESETS) == mini


def test_a_run_is_trained_as_its_arrangement_says() -> None:
    rows = {
        "constant": {"like": "tma-nearest", "schedule": "constant", "learning_rate": 0.25},
        "short": {"like": "constant", "steps": 3},
        "plain": {"like": "tma-nearest"},
    }
    train = {"final_rate": 0.1, "learning_rate": 0.5, "steps": 40, "segment_steps": 20}
    config = load({"arrangements": rows, "train": train}, PRESETS)
    plain = config.training("flan", "plain")
    assert plain == config.train
    constant = config.training("flan", "constant")
    assert constant.model_dump(exclude_unset=True) == {
        **plain.model_dump(),
        **{"schedule": "constant", "learning_rate": 0.25, "final_rate": 0.0},
    }
    assert config.segments("flan", "constant") == ["0-20", "20-40"]
    assert config.segments("flan", "short") == ["0-3"]
    # The method reads the same settings.
    dumps = [
        config.arrangements[n].model_dump(exclude=TRAINING_KEYS) for n in ("plain", "constant")
    ]
    assert dumps[0] == dumps[1]

    mean = {"like": "tma-nearest", "schedule": "constant", "learning_rate": "mean"}
    config = load({"arrangements": {"mean": mean}, "train": train}, PRESETS)
    assert config.training("flan", "mean").model_dump() == {
        **plain.model_dump(),
        **{"schedule": "constant", "mean_of": "cosine"},
    }
    with pytest.raises(InputError, match=r"'arrangements\.mean\.learning_rate': 'mean' needs"):
        load({"arrangements": {"mean": {**mean, "schedule": None}}}, PRESETS)

    row = {"method": "random", "learning_rate": 0.1}
    slow = load({"arrangements": {"slow": row}, "train": train}, PRESETS)
    with pytest.raises(InputError, match=r"'train\.final_rate': 0\.1 is not below .* slow on flan"):
        slow.training("flan", "slow")


def test_an_order_has_every_seed_that_changes_a_run() -> None:
    reshuffled = {"epochs": 2, "epoch_order": "reshuffled"}
    one_base = {"seeds": [0, 1], "model": {"base_per_seed": False}}
    for train, seeds in (({}, [0]), (reshuffled, [0, 1]), ({**reshuffled, "epochs": 1}, [0])):
        assert load({**one_base, "train": train}, PRESETS).seeds_of("wsd-nearest") == seeds
    for model, seeds, base in (({}, [0, 1], 1), ({"name": "some/model"}, [0], 0)):
        config = load({"seeds": [0, 1], "model": model}, PRESETS)
        assert config.seeds_of("wsd-nearest") == seeds
        assert config.base_seed("1") == base


def test_docs_list_what_the_model_says() -> None:
    page = (ROOT / "docs/config.md").read_text()
    assert page == generator("generate_config").render(), "run `make docs`"

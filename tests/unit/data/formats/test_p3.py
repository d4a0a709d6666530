"""The P3 reader: which folders match T0's lists, which files are read, what is refused."""

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conversations import refusal, texts

from nearfirst.data.conversation import Instance
from nearfirst.data.formats import p3 as reader

TABLE = """HF_name,subset,task_by_convention,do_train,do_eval,train_size
super_glue,axg,bias_and_fairness,,BIAS_FAIRNESS,
super_glue,wsc.fixed,coreference,SGLUE,BASE,554
super_glue,rte,NLI,,BASE,2490
super_glue,boolq,QA_multiple_choice,SGLUE,,9427
winogrande,winogrande_xl,coreference,,BASE,40398
anli,,NLI,,BASE,162865
story_cloze,2016,story_completion,,BASE,
hellaswag,,story_completion,GPT_EVAL,BASE,39905
glue,mrpc,paraphrase,BASE,,3668
glue,qqp,paraphrase,BASE,,363846
ai2_arc,ARC-Easy,QA_closed_book,GPT_EVAL,,2251
cos_e,v1.11,QA_multiple_choice,BASE,,9741
cosmos_qa,,QA_multiple_choice,BASE,,25262
quoref,,QA_extractive,BASE,,19399
wiki_qa,,QA_closed_book,BASE,,20360
"""
Rows = list[tuple[str | None, str | None]]


def shard(folder: Path, name: str, rows: Rows) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    questions, answers = zip(*rows, strict=True)
    columns = {
        "answer_choices": [["no", "yes"]] * len(rows),
        "inputs": [[1, 2]] * len(rows),
        "inputs_pretokenized": questions,
        "targets_pretokenized": answers,
    }
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def p3(path: Path, *folders: str, table: str | None = TABLE) -> Path:
    """Write a folder of three splits, each with one row, for every name."""
    for folder in folders:
        for split in ("train", "validation", "test"):
            name = f"{split}-00000-of-00001"
            shard(path / folder, name, [(f" {folder} {split}?", f" {split}")])
    if table:
        (path / "datasets.csv").write_text(table, encoding="utf-8")
    return path


def read(path: Path, table: Path | None = None) -> list[Instance]:
    return list(reader.read(reader.Settings(list=str(table) if table else None), path))


def refused(path: Path) -> str:
    return refusal(lambda: read(path))


BASIC = ("glue_mrpc_equivalent", "super_glue_rte_GPT_3_style")


def test_the_longest_matching_name_decides_the_row_of_a_folder(tmp_path: Path) -> None:
    expected = {
        "super_glue_rte_does_this_imply": ("super_glue", "unseen"),
        "super_glue_wsc.fixed_GPT_3_Style": ("super_glue", "unseen"),
        "winogrande_winogrande_xl_fill_in_the_blank": ("winogrande", "unseen"),
        "winogrande_winogrande_debiased_Replace": ("winogrande", "unseen"),
        "anli_GPT_3_style_r1": ("anli", "unseen"),
        "story_cloze_2016_Novel_Correct_Ending": ("story_cloze", "unseen"),
        "cos_e_v1.11_i_think": ("cos_e", "train"),
        "cosmos_qa_no_prompt_text": ("cosmos_qa", "train"),
        "quoref_Guess": ("quoref", "train"),
        "quoref_$(touch x)`y` {wildcard} 'q' %s\\n;&|>*?[": ("quoref", "train"),
        "quoref_hard_Guess": ("quoref_hard", "unseen"),
    }
    others = [
        "super_glue_boolq_exam",  # trained on by T0++ alone
        "super_glue_copa_choose",  # in no row of this table
        "glue_cola_is_this_right",
        "ai2_arc_ARC_Easy_qa_options",
        "quoreference_Guess",  # begins like a name, but with another word
        "super_glue_rte_must_be_true_score_eval",
    ]
    table = TABLE + "quoref_hard,,QA_extractive,,BASE,\n"
    instances = read(p3(tmp_path, *expected, *others, table=table))
    assert {i.task: (i.source, i.part) for i in instances} == expected


def test_which_splits_are_read(tmp_path: Path) -> None:
    path = p3(tmp_path, *BASIC)
    train, unseen = read(path)
    assert (train.id, unseen.id) == (f"{BASIC[0]}/train/1", f"{BASIC[1]}/validation/1")
    question, answer = f" {BASIC[0]} train?", " train"
    assert texts(train) == [("user", question.strip()), ("assistant", answer.strip())]
    assert train.row == {"inputs_pretokenized": question, "targets_pretokenized": answer}

    for absent, split in (("validation", "test"), ("test", "train")):
        (path / BASIC[1] / f"{absent}-00000-of-00001.parquet").unlink()
        assert [instance.id for instance in read(path)][1] == f"{BASIC[1]}/{split}/1"


def test_shards_are_read_in_order_and_rows_counted_over_them(tmp_path: Path) -> None:
    path = p3(tmp_path, BASIC[1])
    for number in (2, 0, 1):
        rows: Rows = [(f" q{number}{row}", f" a{number}{row}") for row in range(2)]
        shard(path / BASIC[0], f"train-{number:05}-of-00003", rows)
    instances = [instance for instance in read(path) if instance.part == "train"]
    questions = [instance.messages[0]["content"] for instance in instances]
    assert questions == ["q00", "q01", "q10", "q11", "q20", "q21"]
    assert [i.id for i in instances] == [f"{BASIC[0]}/train/{n}" for n in range(1, 7)]
    assert instances[3].where.endswith("train-00001-of-00003.parquet: row 2")
    (path / BASIC[0] / "train-00001-of-00003.parquet").unlink()
    shard(path / BASIC[0], "train-00000-of-00001", rows)
    assert f"{path / BASIC[0]}: 3 files of 'train', but their names say 1 and 3" in refused(path)
    (path / BASIC[0] / "train-00000-of-00001.parquet").unlink()
    assert "2 files of 'train', but their names say 3" in refused(path)


def test_rows_without_question_or_answer_are_unusable(tmp_path: Path) -> None:
    path = p3(tmp_path, *BASIC)
    bad: Rows = [(" ", " a"), (" q", ""), (" q", None), (None, " a"), (" q", " <NO LABEL>")]
    shard(path / BASIC[0], "train-00000-of-00001", [*bad, (" q\n", " a ")])
    instances = [texts(instance) for instance in read(path) if instance.part == "train"]
    assert instances == [[]] * 5 + [[("user", "q"), ("assistant", "a")]]


def test_a_partial_copy_causes_one_warning_per_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = p3(tmp_path, *BASIC)
    with caplog.at_level(logging.WARNING):
        assert len(read(path)) == len(read(path)) == 2
    train, unseen = caplog.messages
    assert "no folder for 5 data sets with do_train=BASE" in train
    assert "glue/qqp, cos_e/v1.11, cosmos_qa, …" in train
    assert "no folder for 5 data sets with do_eval=BASE" in unseen


def test_the_table_may_be_elsewhere(tmp_path: Path) -> None:
    (table := tmp_path / "t0.csv").write_text("\ufeff" + TABLE, encoding="utf-8")
    path = p3(tmp_path / "p3", *BASIC, table=None)
    assert len(read(path, table)) == 2
    assert f"{path}/datasets.csv: no such file" in refused(path)


def test_a_table_of_another_form_is_refused(tmp_path: Path) -> None:
    path = p3(tmp_path, *BASIC, table=TABLE.replace("do_eval", "eval"))
    assert "column 'do_eval' is missing; the table has HF_name" in refused(path)


def test_lists_without_any_folder_are_refused(tmp_path: Path) -> None:
    message = refused(p3(tmp_path, "glue_qqp_quora", "trec_trec1"))
    assert message.startswith(f"{tmp_path}: no folder for any data set with do_eval=BASE")
    assert "super_glue/wsc.fixed, super_glue/rte, winogrande/winogrande_xl, …" in message
    assert "no such folder" in refused(tmp_path / "nowhere")


def test_a_folder_without_its_split_is_named(tmp_path: Path) -> None:
    path = p3(tmp_path, *BASIC)
    (path / BASIC[0] / "train-00000-of-00001.parquet").unlink()
    assert refused(path).startswith(f"{path / BASIC[0]}: no file train-00000-of-00001.parquet")

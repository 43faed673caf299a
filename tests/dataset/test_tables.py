"""Tables as people write them: everything that is wrong is said at once, before anything is paid."""

import gzip
from pathlib import Path

import pytest

import minimax_tasks as mm
from minimax_tasks import TableError
from minimax_tasks.dataset.table import parse_table
from minimax_tasks.sandbox import Sandbox
from tests.conftest import Picture
from tests.dataset.tables import lines, write_csv, write_jsonl


def problems(table: str | Path) -> tuple[str, ...]:
    with pytest.raises(mm.TableError) as caught:
        mm.VideoDataset(table=table, root="out").plan  # noqa: B018
    return caught.value.problems


def test_all_bad_rows_are_listed_at_once_and_nothing_is_paid(
    sandbox: Sandbox, picture: Picture, tmp_path: Path
) -> None:
    picture("small.png", size=(200, 200))
    (tmp_path / "text.png").write_text("no picture")
    rows: list[dict[str, object]] = [
        {"prompt": "fine"},
        {"prompt": "too long", "duration": "7"},
        {"prompt": "no number", "duration": "six"},
        {"prompt": "wrong model", "model": "Hailuo-2.3"},
        {"prompt": "no picture", "first_frame_image": "gone.png"},
        {"prompt": "small", "first_frame_image": "small.png"},
        {"prompt": "text", "last_frame_image": "text.png", "first_frame_image": "small.png"},
        {"prompt": "two\nlines", "take": "0"},
        {"prompt": "maybe", "prompt_optimizer": "perhaps", "take": "1.5"},
        {"duration": "6"},
    ]
    found = problems(write_csv(tmp_path / "waves.csv", rows))
    assert [line.split(": ")[0].rpartition(" ")[2] for line in found] == [
        "3", "4", "5", "6", "7", "8", "8", "9", "11", "11", "12",
    ]  # fmt: skip
    text = "\n".join(found)
    for piece in (
        "line 3: duration = 7: not made by MiniMax-Hailuo-2.3 at 768P",
        "allowed: 6, 10",
        "duration = 'six': allowed: a whole number",
        "did you mean MiniMax-Hailuo-2.3?",
        "first_frame_image = '" + str(tmp_path / "gone.png") + "': there is no such file",
        "it is too small, 200 x 200 px",
        "it is not a picture",
        "take = 0: allowed: 1, 2, 3",
        "prompt_optimizer = 'perhaps': allowed: true or false",
        "line 12: prompt = ''",
    ):
        assert piece in text, piece
    assert not mm.build([mm.VideoDataset(table=tmp_path / "waves.csv", root="out")])
    assert sandbox.ledger() == []
    assert not (tmp_path / "out").exists()


def test_values_as_spreadsheets_and_programs_write_them(tmp_path: Path) -> None:
    rows = [
        {
            "prompt": "a",
            "duration": "10.0",
            "prompt_optimizer": "FALSE",
            "fast_pretreatment": "Yes",
            "take": " 2 ",
        },
        {"prompt": "b", "duration": "", "prompt_optimizer": " ", "model": " MiniMax-Hailuo-02 "},
    ]
    first, second = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", rows), root="out").plan.rows
    assert first.clip.request == mm.TextToVideoRequest(
        prompt="a", duration=10, prompt_optimizer=False, fast_pretreatment=True
    )
    assert first.clip.take == 2
    assert second.clip.request == mm.TextToVideoRequest(prompt="b", model="MiniMax-Hailuo-02")


def test_the_mode_is_which_fields_are_there(tmp_path: Path, picture: Picture) -> None:
    picture("a.png")
    rows = [
        {"prompt": "x"},
        {"prompt": "x", "first_frame_image": "a.png"},
        {"first_frame_image": "a.png", "last_frame_image": "a.png"},
        {"subject_image": ["a.png", "a.png"]},
        {"template": "Helpless Moments", "text": "x"},
        {"mode": "text-to-video", "prompt": "x", "take": 2},
    ]
    plan = mm.VideoDataset(table=write_jsonl(tmp_path / "w.jsonl", rows), root="out").plan
    assert [str(row.clip.mode) for row in plan.rows] == [
        "text-to-video", "image-to-video", "start-end-to-video", "subject-to-video", "template", "text-to-video",
    ]  # fmt: skip
    assert plan.rows[1].clip.request.pictures() == {"first_frame_image": str(tmp_path / "a.png")}


def test_a_field_of_another_mode_is_an_error(tmp_path: Path) -> None:
    rows = [
        {"mode": "text-to-video", "prompt": "x", "first_frame_image": "https://example.com/a.png"},
        {"mode": "text", "prompt": "x"},
        {
            "mode": "subject-to-video",
            "subject_image": "https://example.com/a.png",
            "last_frame_image": "https://example.com/a.png",
        },
    ]
    found = problems(write_jsonl(tmp_path / "w.jsonl", rows))
    assert "text-to-video has no such field" in found[0]
    assert "mode = 'text': allowed: text-to-video, image-to-video" in found[1]
    assert "subject-to-video has no such field" in found[2]


def test_columns_that_are_nearly_a_request_field(tmp_path: Path) -> None:
    found = problems(write_csv(tmp_path / "w.csv", [{"prompt": "x", "First Frame Image": "a.png"}]))
    assert "the request field is called 'first_frame_image'" in found[0]
    with pytest.warns(mm.MiniMaxCatalogWarning, match="'resolutions' is carried along"):
        mm.VideoDataset(table=write_csv(tmp_path / "w.csv", [{"prompt": "x", "resolutions": "1"}])).plan  # noqa: B018


def test_text_and_image_are_carried_where_there_is_no_template(sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [{"prompt": "x", "text": "a caption", "image": "kept.png"}]
    assert mm.build([mm.VideoDataset(table=write_csv(tmp_path / "w.csv", rows), root="out")])
    (row,) = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert (row["text"], row["image"]) == ("a caption", "kept.png")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("w.csv", b"", "there are no rows"),
        ("w.csv", b"prompt\n", "there are no rows"),
        ("w.csv", b"prompt,prompt\na,b\n", "columns that are there twice: prompt"),
        ("w.csv", b"prompt,\na,b\n", "a column has no name"),
        ("w.csv", b"prompt\na,b\n", "line 2: 2 cells under a header of 1 columns"),
        ("w.csv", b'prompt\n"a\n', "line 2: unexpected end of data"),
        ("w.csv", b"prompt\n\xff\n", "line 2: not UTF-8 text"),
        ("w.jsonl", b'{"prompt": "a"}\n\n{"prompt": \n[1]\n', "line 3: not JSON"),
        ("w.jsonl", b"[1]\n", "line 1: allowed: a JSON object"),
        ("w.jsonl", b'{"prompt": 5}\n', "line 1: prompt = 5: allowed: text"),
        ("w.parquet", b"PAR1", "this is not Parquet"),
        ("w.xlsx", b"", "allowed: a table whose name ends in .csv"),
        ("table", b"", "allowed: a table whose name ends in .csv"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert any(message in line for line in problems(tmp_path / name)), problems(tmp_path / name)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.csv") == (f"{tmp_path}/none.csv: there is no such file",)
    assert "this is a folder" in problems(tmp_path)[0]


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "w.parquet").write_bytes(b"PAR1")
    assert "pip install pyarrow" in problems(tmp_path / "w.parquet")[0]


def test_a_packed_table_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "waves.csv.gz").write_bytes(gzip.compress("prompt\r\nWelle\r\n".encode("utf-8-sig")))
    task = mm.VideoDataset(table=tmp_path / "waves.csv.gz", root="out")
    assert [row.clip.request.prompt for row in task.plan.rows] == ["Welle"]
    assert task.output().path == "out/datasets/waves/metadata.jsonl"


@pytest.mark.slow
def test_ten_thousand_rows_are_forty_tasks(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", [{"prompt": f"Wave {number}"} for number in range(10_000)])
    shards = mm.VideoDataset(table=table, root="out").requires()
    assert len(shards) == 40
    assert len({shard.digest for shard in shards}) == 40


@pytest.mark.parametrize(
    "text",
    [
        "prompt;model\nA lighthouse, at dawn;MiniMax-Hailuo-02\n",
        "sep=;\nprompt;model\nA lighthouse, at dawn;MiniMax-Hailuo-02\n",
        'sep=,\r\nprompt,model\r\n"A lighthouse, at dawn",MiniMax-Hailuo-02\r\n',
        '"sep=,"\nprompt,model\n"A lighthouse, at dawn",MiniMax-Hailuo-02\n',
        "prompt\tmodel\nA lighthouse, at dawn\tMiniMax-Hailuo-02\n",
        '"prompt";"model"\n"A lighthouse, at dawn";"MiniMax-Hailuo-02"\n',
        "SEP=|\nprompt|model\nA lighthouse, at dawn|MiniMax-Hailuo-02\n",
    ],
)
def test_a_spreadsheet_of_any_country_is_read(text: str) -> None:
    table = parse_table("t.csv", text.encode())
    assert table.problems == ()
    (row,) = table.rows
    assert row.given == {"prompt": "A lighthouse, at dawn", "model": "MiniMax-Hailuo-02"}


def test_the_lines_of_a_spreadsheet_are_those_of_its_file() -> None:
    table = parse_table("t.csv", b"sep=;\nprompt;duration\nA;6\nB;soon\n")
    assert [problem.line for problem in table.problems] == [4]
    with pytest.raises(TableError, match="line 2: a column has no name"):
        parse_table("t.csv", b"sep=;\nprompt;\nA;6\n")


def test_a_column_that_means_a_request_field_is_told_of_and_carried() -> None:
    table = parse_table("t.csv", b"prompt,seconds,image,notes\nA wave,10,a.png,x\n")
    assert table.warnings == (
        "column 'seconds' is carried along; the request field is called 'duration'",
        "column 'image' is carried along; the request field is called 'first_frame_image'",
    )
    (row,) = table.rows
    assert row.carried == {"seconds": "10", "image": "a.png", "notes": "x"}

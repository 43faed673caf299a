"""Tables as people write them: everything that is wrong is said at once, before anything is paid."""

import gzip
import json
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
        ("w.csv", b"prompt\n\xff\n", "line 2: not UTF-8 text; give the encoding that it has"),
        (
            "w.csv",
            b"Prompt text,size\na,b\n",
            "no column of it asks for a clip: it has 'Prompt text', 'size'",
        ),
        ("w.csv", b"caption\na\n", "perhaps 'caption' is meant to be called 'prompt'"),
        ("w.csv", b"promt\na\n", "perhaps 'promt' is meant to be called 'prompt'"),
        (
            "w.csv",
            b"id,first_frame\n1,a.png\n",
            "perhaps 'first_frame' is meant to be called 'first_frame_image'",
        ),
        ("w.csv", "prompt\na\n".encode("utf-16-le"), "line 1: not UTF-8 text; give the encoding utf-16-le"),
        ("w.csv", "prompt\na\n".encode("utf-16-be"), "line 1: not UTF-8 text; give the encoding utf-16-be"),
        ("w.json", b'{"prompt": ["a", "b"], "n": [1, 2]}', "it is a table by columns"),
        ("w.json", b'{"prompt": {"0": "a"},\n"n": {"0": 1}}', "it is a table by columns"),
        ("w.json", b'[{"prompt": "a"},\n {"prompt": }]', "line 2: not JSON"),
        ("w.json", b'[{"prompt": "a"}\n\n {"prompt": "b"}]', "line 3: not JSON (a comma or ] is missing"),
        ("w.json", b'[{"prompt": "a"},\n]', "line 2: not JSON"),
        ("w.json", b'[{"prompt": "a"}', "line 1: not JSON"),
        ("w.json", b'[{"prompt": "a"}]\n[]', "something stands behind the array"),
        ("w.json", b'[{"prompt": "a"},\n\n 5]', "line 3: allowed: a JSON object"),
        (
            "w.json",
            b'[{"prompt": "a"},\n{"prompt": "b", "prompt": "c"}]',
            "line 2: 'prompt' stands there twice",
        ),
        ("w.json", b"[]", "there are no rows"),
        ("w.json", b"[" * 100_000, "more than 30 deep"),
        ("w.jsonl", b'{"prompt": "a"}\n\n{"prompt": \n[1]\n', "line 3: not JSON"),
        ("w.jsonl", b"[1]\n", "line 1: allowed: a JSON object"),
        ("w.jsonl", b'{"prompt": 5}\n', "line 1: prompt = 5: allowed: text"),
        ("w.parquet", b"PAR1", "this is not Parquet"),
        ("w.xlsx", b"", "allowed: a table whose name ends in .csv"),
        ("w.xlsx", b"", "; save the sheet as CSV"),
        ("w.json", b'{\n"data": [{"prompt": "a"}]\n}', "no column of it asks for a clip: it has 'data'"),
        ("table", b"", "allowed: a table whose name ends in .csv"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert any(message in line for line in problems(tmp_path / name)), problems(tmp_path / name)


def test_a_column_that_asks_for_all_clips_and_is_misspelt_is_one_mistake(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("Prompt,duration\na,6\nb,7\n")
    assert problems(tmp_path / "w.csv") == (
        f"{tmp_path}/w.csv, line 1: column 'Prompt': the request field is called 'prompt'",
    )


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
    for data in (b"", b"prompt\nWave\n"):
        (tmp_path / "w.parquet").write_bytes(data)
        assert "this is not Parquet" in problems(tmp_path / "w.parquet")[0]


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
        "prompt|model\nA lighthouse, at dawn|MiniMax-Hailuo-02\n",
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


def test_an_array_of_json_is_a_table_and_so_are_lines_of_objects_by_that_name(tmp_path: Path) -> None:
    rows = [{"prompt": "a [x", "tags": ["]", ","]}, {"prompt": "b", "n": {"m": 1}}]
    for text in (json.dumps(rows), json.dumps(rows, indent=2), " \n" + json.dumps(rows) + "\n"):
        table = parse_table("t.json", text.encode())
        assert [row.given["prompt"] for row in table.rows] == ["a [x", "b"]
        assert table.rows[0].carried == {"tags": ["]", ","]}
    assert [row.number for row in parse_table("t.json", json.dumps(rows, indent=0).encode()).rows] == [2, 9]
    assert len(parse_table("t.json", b'{"prompt": "a"}\n{"prompt": "b"}\n').rows) == 2
    assert [row.number for row in parse_table("t.json", b'\n{\n"prompt": "a"\n}\n').rows] == [2]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("cp1252", "prompt;city\nDämmerung;Köln\n".encode("cp1252")),
        ("", "prompt;city\nDämmerung;Köln\n".encode("utf-16")),
        ("", "prompt\tcity\r\nDämmerung\tKöln\r\n".encode("utf-16-le").join([b"\xff\xfe", b""])),
        ("utf-8", "\ufeffprompt;city\nDämmerung;Köln\n".encode()),
    ],
)
def test_a_table_in_another_encoding(tmp_path: Path, encoding: str, data: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    (row,) = mm.VideoDataset(table=tmp_path / "t.csv", root="out", encoding=encoding).plan.rows
    assert row.clip.request.prompt == "Dämmerung"
    assert row.row.carried == {"city": "Köln"}


def test_an_encoding_that_is_none(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", [{"prompt": "x"}])
    for encoding in ("klingon", "base64", "hex"):
        with pytest.raises(mm.ConfigurationError, match="encoding = "):
            mm.VideoDataset(table=table, root="out", encoding=encoding).plan  # noqa: B018
    (tmp_path / "b.csv").write_bytes(b"prompt\n\x81\n")
    for encoding in ("idna", "punycode", "utf-7", "utf-16"):
        with pytest.raises(TableError, match=f"not text in {encoding}"):
            mm.VideoDataset(table=tmp_path / "b.csv", root="out", encoding=encoding).plan  # noqa: B018
    with pytest.raises(TableError, match="line 2: not text in cp1252"):
        mm.VideoDataset(table=tmp_path / "b.csv", root="out", encoding="cp1252").plan  # noqa: B018


def test_a_mistake_of_every_row_is_one_sentence(tmp_path: Path) -> None:
    rows = [{"prompt": f"w {number}", "model": "Hailuo-9", "first_frame_image": ""} for number in range(1500)]
    (told,) = problems(write_csv(tmp_path / "w.csv", rows))
    assert "w.csv: every one of 1,500 rows: model = 'Hailuo-9': " in told
    rows = [{"prompt": "x", "first_frame_image": f"gone/{number}.png"} for number in range(1500)]
    (told,) = problems(write_csv(tmp_path / "w.csv", rows))
    assert "every one of 1,500 rows: first_frame_image: there is no such file" in told
    assert "; first line 2: first_frame_image = " in told
    assert "gone/0.png" in told


def test_a_mistake_of_many_rows_names_them_and_others_are_told_one_by_one(tmp_path: Path) -> None:
    rows = [{"prompt": "x", "duration": "7" if number % 2 else "6"} for number in range(40)]
    rows += [{"prompt": "x", "first_frame_image": f"gone/{number}.png"} for number in range(30)]
    told = problems(write_csv(tmp_path / "w.csv", rows))
    assert len(told) == 31
    assert "w.csv, line 3, 5, 7, 9, 11, 13, 15, 17, 19, 21 and 10 more: duration = 7" in told[0]


def test_what_parquet_has_and_json_has_not(sandbox: Sandbox, tmp_path: Path) -> None:
    import decimal

    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "prompt": ["a", "b"],
        "duration": pa.array([decimal.Decimal("6.00"), None], pa.decimal128(5, 2)),
        "price": pa.array([decimal.Decimal("1.10"), decimal.Decimal("-0.05")], pa.decimal128(5, 2)),
        "counts": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        "by_number": pa.array([[(7, "x")], None], pa.map_(pa.int64(), pa.string())),
    }
    parquet.write_table(pa.table(columns), tmp_path / "w.parquet")
    assert mm.build([mm.VideoDataset(table=str(tmp_path / "w.parquet"), root="out")])
    found = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert [row["duration"] for row in found] == [6, 6]
    assert [row["price"] for row in found] == ["1.10", "-0.05"]
    assert [row["counts"] for row in found] == [{"k": 1}, {"k": None}]
    assert [row["by_number"] for row in found] == [{"7": "x"}, None]
    twice = pa.table(
        {"prompt": ["a", "b"], "m": pa.array([[("k", 1)], [("k", 1), ("k", 2)]], columns["counts"].type)}
    )
    parquet.write_table(twice, tmp_path / "twice.parquet")
    assert problems(tmp_path / "twice.parquet") == (
        f"{tmp_path}/twice.parquet, row 2: a map has a key twice",
    )

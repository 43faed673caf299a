"""Writing tables as people and programs write them, and reading datasets as their users do."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datasets


def write_csv(path: Path, rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def load(folder: str | Path, cache: Path) -> "datasets.Dataset":
    """The dataset as Hugging Face `datasets` loads it; the videos as paths, which needs no torch."""
    import datasets  # with pandas, a second and more: not for each process that looks which tests there are

    loaded = datasets.load_dataset("videofolder", data_dir=str(folder), split="train", cache_dir=str(cache))
    return loaded.cast_column("video", datasets.Video(decode=False))

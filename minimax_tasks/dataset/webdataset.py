"""A dataset as WebDataset shards: tar files in which each sample is an `.mp4` and a `.json`."""

import io
import itertools
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minimax_tasks.dataset.folder import Sample, tars
from minimax_tasks.dataset.inference import FIRST, as_text, telling_first, unclear
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import temporary_folder


def write_webdataset(root: Storage, folder: str, samples: list[Sample], size: int) -> None:
    """Write `00000.tar`, `00001.tar`, … with `size` samples each, every file whole; remove surplus ones.

    With splits these are `train-00000.tar`, …. The first samples of each file show what its columns hold.
    """
    parts = _parts(samples, size)
    texts = _texts(parts)
    with temporary_folder() as scratch:
        draft = scratch / "shard.tar"
        for name, part in parts.items():
            _write_tar(draft, root, part, texts)
            root.put(draft, f"{folder}/{name}")
    for surplus in tars(root, folder).keys() - parts.keys():
        root.remove(f"{folder}/{surplus}")
    root.sweep(folder)


def _parts(samples: list[Sample], size: int) -> dict[str, list[Sample]]:
    """Name of a tar file -> its samples, those first that tell the most."""
    parts = {}
    for split in dict.fromkeys(sample.split for sample in samples):
        of_split = [sample for sample in samples if sample.split == split]
        ordered = _telling_first(of_split)
        for number, start in enumerate(range(0, len(ordered), size)):
            name = f"{split}-{number:05}.tar" if split else f"{number:05}.tar"
            parts[name] = _telling_first(ordered[start : start + size])
    return parts


def _telling_first(samples: list[Sample]) -> list[Sample]:
    return [samples[number] for number in telling_first(sample.metadata for sample in samples)]


def _texts(parts: Mapping[str, list[Sample]]) -> set[str]:
    """The columns that are written as text, since the first samples of some file do not show what they hold."""
    rows = {name: [sample.metadata for sample in part] for name, part in parts.items()}
    begins = [part for name, part in rows.items() if name.endswith("00000.tar")]
    alone = (unclear([part], FIRST) for part in rows.values())
    whole = list(itertools.chain.from_iterable(rows.values()))
    return set().union(*alone, *(_hidden(whole, part[:FIRST]) for part in begins))


def _hidden(whole: list[dict[str, Any]], first: list[dict[str, Any]]) -> set[str]:
    """The columns of which the first rows do not show everything that is in them."""
    return unclear([whole, first])


def _write_tar(draft: Path, root: Storage, samples: list[Sample], texts: set[str]) -> None:
    with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as tar:
        for sample in samples:
            with root.as_local(sample.source) as video, video.open("rb") as bytes_of_video:
                _add(tar, f"{sample.name}.mp4", bytes_of_video, video.stat().st_size)
            told = json.dumps(as_text(sample.metadata, texts), ensure_ascii=False).encode()
            _add(tar, f"{sample.name}.json", io.BytesIO(told), len(told))


def _add(tar: tarfile.TarFile, name: str, content: io.IOBase, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    tar.addfile(member, content)

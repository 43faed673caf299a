"""A dataset as WebDataset shards: tar files in which each sample is an `.mp4` and a `.json`."""

import io
import json
import tarfile
from pathlib import Path

from minimax_tasks.dataset.folder import Sample, tars
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import temporary_folder


def write_webdataset(root: Storage, folder: str, samples: list[Sample], size: int) -> None:
    """Write `00000.tar`, `00001.tar`, … with `size` samples each, every file whole; remove surplus ones."""
    parts = [samples[start : start + size] for start in range(0, len(samples), size)]
    with temporary_folder() as scratch:
        draft = scratch / "shard.tar"
        for number, part in enumerate(parts):
            _write_tar(draft, root, part)
            root.put(draft, f"{folder}/{number:05}.tar")
    wanted = {f"{number:05}.tar" for number in range(len(parts))}
    for surplus in tars(root, folder).keys() - wanted:
        root.remove(f"{folder}/{surplus}")
    root.sweep(folder)


def _write_tar(draft: Path, root: Storage, samples: list[Sample]) -> None:
    with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as tar:
        for sample in samples:
            with root.as_local(sample.source) as video, video.open("rb") as bytes_of_video:
                _add(tar, f"{sample.name}.mp4", bytes_of_video, video.stat().st_size)
            metadata = json.dumps(sample.metadata, ensure_ascii=False).encode()
            _add(tar, f"{sample.name}.json", io.BytesIO(metadata), len(metadata))


def _add(tar: tarfile.TarFile, name: str, content: io.IOBase, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    tar.addfile(member, content)

"""Which clip a task is of: the first one that was given it, or that waits for it. A file, `layout.task_file`, says so.

Where a service answers with the task of an earlier request, two clips would have one video.
"""

from typing import Any

from minimax_tasks.clips.layout import task_file
from minimax_tasks.storage.files import Storage


def owned_by(task_id: str, key: str) -> dict[str, Any]:
    """What the file of a task says when it is of this clip."""
    return {"task_id": task_id, "clip": key}


def owner_of_task(root: Storage, task_id: str) -> str:
    """The key of the clip that a task is of, "" when that is written nowhere."""
    return str((root.read_json(task_file(task_id)) or {}).get("clip") or "")


def take_task(root: Storage, task_id: str, key: str) -> bool:
    """Keep a task for a clip; False when another clip has it."""
    return root.create_json(task_file(task_id), owned_by(task_id, key)) or owner_of_task(root, task_id) == key


async def owner_or_take(root: Storage, task_id: str, key: str) -> str:
    """The key of the clip that a task is of: this one, where no other has it.

    After a power cut whoever waits says so again, so nothing is flushed for it.
    """
    if await root.create_json_async(task_file(task_id), owned_by(task_id, key), durable=False):
        return key
    return await root.run(owner_of_task, root, task_id) or key

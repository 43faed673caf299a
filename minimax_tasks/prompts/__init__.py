"""Prompts: camera language, templates, and the text that is sent for a shot.

Knows only the catalogue. `parse_camera` reads a board's `camera:`, `render_prompt` writes the prompt,
`check_prompt` looks at camera commands that people wrote into it by hand. Each name loads what it needs when it is first
used: who only looks at commands needs no templates.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minimax_tasks.errors import CameraError, PromptError
    from minimax_tasks.prompts.bracket_commands import (
        Command,
        check_prompt,
        find_commands,
        normalise_brackets,
        spellings_before,
    )
    from minimax_tasks.prompts.camera import (
        Groups,
        camera_warnings,
        find_move,
        parse_camera,
        render_camera,
    )
    from minimax_tasks.prompts.environment import (
        ShotTemplate,
        shot_templates,
        template_folder,
        template_names,
    )
    from minimax_tasks.prompts.render import render_prompt

__all__ = [
    "CameraError",
    "Command",
    "Groups",
    "PromptError",
    "ShotTemplate",
    "camera_warnings",
    "check_prompt",
    "find_commands",
    "find_move",
    "normalise_brackets",
    "parse_camera",
    "render_camera",
    "render_prompt",
    "shot_templates",
    "spellings_before",
    "template_folder",
    "template_names",
]

_HOMES = {
    "errors": ("CameraError", "PromptError"),
    "prompts.bracket_commands": (
        "Command",
        "check_prompt",
        "find_commands",
        "normalise_brackets",
        "spellings_before",
    ),
    "prompts.camera": ("Groups", "camera_warnings", "find_move", "parse_camera", "render_camera"),
    "prompts.environment": ("ShotTemplate", "shot_templates", "template_folder", "template_names"),
    "prompts.render": ("render_prompt",),
}
"""Module -> the public names that it has."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"minimax_tasks.{_HOME_OF[name]}"), name)

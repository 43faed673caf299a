"""Prompts: camera language, templates, and the text that is sent for a shot.

Knows only the catalogue. `parse_camera` reads a board's `camera:`, `render_prompt` writes the prompt,
`check_prompt` looks at camera commands that people wrote into it by hand.
"""

from minimax_tasks.errors import CameraError, PromptError
from minimax_tasks.prompts.bracket_commands import (
    Command,
    check_prompt,
    find_commands,
    normalise_brackets,
    spellings_before,
)
from minimax_tasks.prompts.camera import Groups, camera_warnings, find_move, parse_camera, render_camera
from minimax_tasks.prompts.environment import ShotTemplate, shot_templates, template_folder, template_names
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

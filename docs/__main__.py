"""Writes all pages that are made from the code: `python -m docs`."""

from docs import board, catalogue, commands, errors, settings, titles, transitions

GENERATED = (board, catalogue, commands, errors, settings, titles, transitions)
"""Each has `PAGE`, the file, and `page()`, its text."""

if __name__ == "__main__":
    for each in GENERATED:
        each.PAGE.write_text(each.page(), encoding="utf-8")

"""Storyboards: a board file in, a film and its report out."""

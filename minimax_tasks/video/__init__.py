"""Video files with PyAV alone: judge them, extract frames, join them, make previews."""

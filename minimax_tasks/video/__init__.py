"""Video files on PyAV alone: judge them, take frames out, join them, make previews."""

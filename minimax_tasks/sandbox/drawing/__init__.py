"""Drawing clips: canvas, scenery, camera moves, captions."""

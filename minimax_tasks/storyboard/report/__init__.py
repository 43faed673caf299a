"""The page about a film."""

"""The commands: one module each, and `main` which reads the command line."""

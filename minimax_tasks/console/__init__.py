"""What the commands show a person: tables, progress, messages."""

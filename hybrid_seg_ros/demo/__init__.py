"""The whole path shown in one command: a drive, the real node, what it saw."""

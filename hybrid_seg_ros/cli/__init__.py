"""The command line hybrid-seg."""

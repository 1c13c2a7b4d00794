"""Measuring this machine: the project's performance promises as scenarios, each with its target."""

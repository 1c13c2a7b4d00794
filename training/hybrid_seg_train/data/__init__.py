"""Labelled images of several sets and label spaces, mixed and augmented."""

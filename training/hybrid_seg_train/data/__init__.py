"""Labelled images of several sets and label spaces."""

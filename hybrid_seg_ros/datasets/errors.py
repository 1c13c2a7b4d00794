"""What can be wrong with a set on disk."""


class DatasetError(ValueError):
    """A file or folder is missing or not what it should be; the message names it and what was expected."""

"""Values of the options of `hybrid-seg evaluate`."""

import argparse


def ids(text: str) -> tuple[int, ...]:
    """(1, 14) of "1,14"."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) <= 255 for part in parts):
        raise argparse.ArgumentTypeError(f"expected ids of 0..255 such as 1,14, found {text!r}")
    return tuple(int(part) for part in parts)


def names(text: str) -> tuple[str, ...]:
    """("Car", "Sky") of "Car,Sky"."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"expected names with commas between them, found {text!r}")
    return found


def class_ids(text: str) -> dict[int, str]:
    """{0: "Road", 1: "Car"} of "0=Road,1=Car"."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(separator and value.strip().isdecimal() and name.strip() for value, separator, name in pairs):
        raise argparse.ArgumentTypeError(f"expected ID=NAME,... such as 0=Road,1=Car, found {text!r}")
    return {int(value): name.strip() for value, _, name in pairs}


def count(text: str) -> int:
    """A number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, found {text!r}")
    return int(text)


def width(text: str) -> int:
    """1280 of "1280"."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a width in px such as 1280, found {text!r}")
    return int(text)

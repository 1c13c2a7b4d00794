"""The one error every fault of a bundle becomes."""

from pathlib import Path


class BundleError(ValueError):
    """A bundle cannot be found, read or trusted.

    Attributes:
        file: the file or directory at fault.
        expected: what should have been there.
        found: what was there.
        fix: the command or edit that puts it right.
    """

    def __init__(self, file: Path | str, *, expected: str, found: str, fix: str) -> None:
        super().__init__(f"{file}: expected {expected}, found {found}. To fix: {fix}")
        self.file = Path(file)
        self.expected = expected
        self.found = found
        self.fix = fix


def seal_command(bundle: Path) -> str:
    """The command that makes a manifest agree with files that were changed on purpose."""
    return f"python3 -m hybrid_seg_ros.bundle seal {bundle}"

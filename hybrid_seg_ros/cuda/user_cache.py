"""Where what is made once for a machine is kept: the XDG base directory specification."""

import os
from pathlib import Path


def user_cache(*parts: str) -> Path:
    """$XDG_CACHE_HOME/hybrid_seg_ros/<parts>; not made. A relative $XDG_CACHE_HOME is ignored, as specified."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = base if base.is_absolute() else Path.home() / ".cache"
    return root.joinpath("hybrid_seg_ros", *parts)

"""vision_msgs, which is used where it is installed and never required."""

import importlib
from typing import Any


def vision_messages(needed: str = "Detection2DArray") -> Any:  # noqa: ANN401  # a package that may not be installed
    """vision_msgs.msg where it is installed and new enough to have the message, else None."""
    try:
        messages = importlib.import_module("vision_msgs.msg")
    except ModuleNotFoundError:
        return None
    return messages if hasattr(messages, needed) else None

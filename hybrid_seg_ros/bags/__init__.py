"""Recordings in and out, without a ROS installation."""

from hybrid_seg_ros.bags.offline import run_offline
from hybrid_seg_ros.bags.reader import BagImage, BagReader, RawMessage
from hybrid_seg_ros.bags.results import Result, ResultWriter, read_results
from hybrid_seg_ros.bags.summary import RunSummary, Spread, spread
from hybrid_seg_ros.bags.topics import BagError, Topic
from hybrid_seg_ros.bags.writer import BagWriter

__all__ = [
    "BagError",
    "BagImage",
    "BagReader",
    "BagWriter",
    "RawMessage",
    "Result",
    "ResultWriter",
    "RunSummary",
    "Spread",
    "Topic",
    "read_results",
    "run_offline",
    "spread",
]

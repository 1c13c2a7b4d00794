"""Where the ground truth of a recording comes from: label topics, a folder of pictures, or nowhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hybrid_seg_ros.assessment.frame_truth import FrameTruth, LabelRule, TruthError
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.assessment.truth_folder import FolderTruth
from hybrid_seg_ros.assessment.truth_topics import TopicTruth, has_truth
from hybrid_seg_ros.bags import BagReader
from hybrid_seg_ros.bags.find import SUFFIXES


class TruthSource(Protocol):
    """Ground truth by frame; asked in the order of the recording."""

    @property
    def description(self) -> str:
        """Where it comes from, for the document; no path of this machine."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What is missing from it."""
        ...

    def at(self, index: int, stamp_ns: int) -> FrameTruth | None:
        """The truth of a frame, or None where there is none.

        Raises:
            ValueError: it is there and cannot be read; the message names it.
        """
        ...

    def close(self) -> None:
        """Release what it holds; may be called twice."""
        ...


def open_truth(bag: Path, stamps: Sequence[int], options: RecordingOptions, classes: int) -> TruthSource | None:
    """The ground truth that the options name, or what the recording itself has; None where there is none.

    Args:
        bag: the recording.
        stamps: of its frames, ns, in order.
        options: `truth`, `truth_topic`, `matching`, `anomaly_ids` and `void_ids` are read.
        classes: how many classes the network knows.

    Raises:
        TruthError: what was named is not there, or does not fit the recording.
        BagError: the recording of the truth cannot be read.
    """
    rule = LabelRule(classes, options.anomaly_ids, options.void_ids)
    place = options.truth
    if place is not None and not place.exists():
        raise TruthError(f"{place}: no such ground truth; expected a recording or a folder of label pictures")
    if place is not None and place.is_dir() and not _is_recording(place):
        if options.truth_topic is not None:
            raise TruthError(f"{place} is a folder of pictures and has no topic {options.truth_topic!r}")
        return FolderTruth(place, stamps, options.matching, rule)
    if place is not None and place.is_file() and place.suffix not in SUFFIXES:
        raise TruthError(f"{place}: not ground truth; expected a recording or a folder of label pictures")
    source = bag if place is None else place
    with BagReader(source) as reader:
        found = has_truth(reader.topics, options.truth_topic)
        names = ", ".join(topic.name for topic in reader.topics)
    if found:
        return TopicTruth(source, options.truth_topic, rule)
    if place is None and options.truth_topic is None:
        return None
    wanted = options.truth_topic or "/ground_truth/semantic or /ground_truth/anomaly"
    raise TruthError(f"{source}: no topic {wanted} with pictures of labels; it has {names or 'no topics'}")


def _is_recording(folder: Path) -> bool:
    return (folder / "metadata.yaml").exists() or any(p.suffix in SUFFIXES for p in folder.iterdir())

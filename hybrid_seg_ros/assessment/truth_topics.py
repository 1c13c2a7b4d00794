"""Ground truth of a recording in its own or another recording's label topics."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.by_stamp import ByStamp
from hybrid_seg_ros.assessment.frame_truth import FrameTruth, LabelRule, TruthError
from hybrid_seg_ros.bags import BagReader, RawMessage, Topic
from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.messages import STRING
from hybrid_seg_ros.bags.results import single_channel
from hybrid_seg_ros.bags.topics import COMPRESSED, IMAGE
from hybrid_seg_ros.bags.truth import ANOMALY, INSTANCES, LABELS, OBSTACLES
from hybrid_seg_ros.evaluation.confusion import VOID
from hybrid_seg_ros.evaluation.detection import Sighting
from hybrid_seg_ros.frames.compressed import decode_unchanged

Ids = npt.NDArray[Any]


def has_truth(topics: Sequence[Topic], wanted: str | None) -> bool:
    """Whether one of the topics holds labels: the one that is wanted, else those that this project writes."""
    return bool(_pictures(topics, wanted))


class TopicTruth:
    """Label pictures of a recording, joined by their header stamps; see `truth_sources.TruthSource`.

    Args:
        path: the recording.
        topic: the one with label ids; None takes those of `bags.truth`.
        rule: what the ids mean, where no topic of anomalies says it.
    """

    def __init__(self, path: Path, topic: str | None, rule: LabelRule) -> None:
        self._rule = rule
        self._labels = _name(topic) if topic else LABELS
        self._bag = BagReader(path)
        self._streams: dict[str, ByStamp[RawMessage]] = {}
        for found in _pictures(self._bag.topics, topic):
            raws, stamps = self._bag.raw(found), [_stamp(raw) for raw in self._bag.raw(found)]
            self._streams[found.name] = ByStamp(((_stamp(raw), raw) for raw in raws), stamps)
        self._obstacles: ByStamp[str] | None = None
        if INSTANCES in self._streams and any(t.name == OBSTACLES and t.type == STRING for t in self._bag.topics):
            stamps = [stamp for stamp, _ in self._bag.texts(OBSTACLES)]
            self._obstacles = ByStamp(self._texts(), stamps)
        self.description = "topics " + ", ".join(sorted(self._streams))

    @property
    def problems(self) -> list[str]:
        """See `truth_sources.TruthSource`."""
        return self._bag.problems

    def at(self, index: int, stamp_ns: int) -> FrameTruth | None:
        """See `truth_sources.TruthSource`."""
        arrays = {name: self._array(stream.at(stamp_ns)) for name, stream in self._streams.items()}
        text = None if self._obstacles is None else self._obstacles.at(stamp_ns)
        ids, given, instances = arrays.get(self._labels), arrays.get(ANOMALY), arrays.get(INSTANCES)
        if ids is None and given is None:
            return None
        labels, anomaly = (None, None) if ids is None else self._rule.split(ids)
        if given is not None:
            anomaly = np.where(given <= 1, given, VOID).astype(np.uint8)
        return FrameTruth(
            labels=labels,
            anomaly=anomaly,
            instances=None if instances is None else instances.astype(np.uint16, copy=False),
            obstacles=None if text is None else _sightings(text),
        )

    def close(self) -> None:
        """See `truth_sources.TruthSource`."""
        self._bag.close()

    def _texts(self) -> Iterator[tuple[int, str]]:
        yield from self._bag.texts(OBSTACLES)

    def _array(self, raw: RawMessage | None) -> Ids | None:
        if raw is None:
            return None
        message = self._bag.message(raw)
        ids = decode_unchanged(message.data, str(message.format)) if raw.topic.compressed else single_channel(message)
        if ids.ndim != 2:
            raise TruthError(f"{raw.topic.name}: {ids.shape[2]} channels, expected one channel of label ids")
        return np.asarray(ids)


def _pictures(topics: Sequence[Topic], wanted: str | None) -> list[Topic]:
    names = {_name(wanted)} if wanted else {LABELS, ANOMALY, INSTANCES}
    found = [t for t in topics if t.name in names and t.type in (IMAGE, COMPRESSED) and t.count]
    return found if any(t.name != INSTANCES for t in found) else []


def _name(topic: str) -> str:
    return "/" + topic.lstrip("/")


def _stamp(raw: RawMessage) -> int:
    try:
        return header_stamp_ns(raw.data)
    except ValueError:
        return raw.log_time_ns


def _sightings(text: str) -> tuple[Sighting, ...]:
    return tuple(Sighting(int(o["id"]), str(o["kind"]), float(o["distance"])) for o in json.loads(text))

"""The frames of a recording and the results that belong to them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hybrid_seg_ros.assessment.by_stamp import ByStamp
from hybrid_seg_ros.bags import BagReader, Result, read_results
from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.results import MASK, NODE, SCORE, SEMANTIC


@dataclass(frozen=True, slots=True)
class Frames:
    """The images of one camera.

    Attributes:
        topic: its image topic.
        stamps: of every image, ns, in the order of the recording.
        rate_hz: images per second; 0 where that is not known.
        problems: what is lost of the recording, or odd in its stamps.
    """

    topic: str
    stamps: tuple[int, ...]
    rate_hz: float
    problems: tuple[str, ...]

    @property
    def ascending(self) -> bool:
        """Whether every stamp is later than the one before."""
        return all(a < b for a, b in pairwise(self.stamps))


def list_frames(bag: Path, image_topic: str | None, *, besides: Sequence[str] = ()) -> Frames:
    """Stamps of a recording's images, without decoding them; topics `besides` are no cameras.

    Raises:
        BagError: the recording cannot be read, or has no such camera.
    """
    with BagReader(bag) as reader:
        topic, _ = reader.camera(image_topic, besides=besides)
        images = [(image.stamp_ns, image.log_time_ns) for image in reader.images(topic.name)]
        stamps = tuple(stamp for stamp, _ in images)
        span = images[-1][1] - images[0][1] if images else 0
        rate = (len(images) - 1) * 1e9 / span if span > 0 else 0.0
        return Frames(topic.name, stamps, rate, (*reader.problems, *_odd(topic.name, stamps)))


def _odd(topic: str, stamps: Sequence[int]) -> list[str]:
    problems = []
    if repeated := sum(count - 1 for count in Counter(stamps).values()):
        problems.append(f"{topic}: {repeated} of {len(stamps)} images carry the stamp of another one")
    if back := sum(b < a for a, b in pairwise(stamps)):
        problems.append(
            f"{topic}: stamps go back at {back} of {len(stamps)} images; time to detection and delayed accuracy"
            " are left out"
        )
    return problems


class RecordedResults:
    """The results in a recording by the stamps of their frames.

    Args:
        path: the recording of a node's outputs.
        node: full name of the node.

    Raises:
        BagError: not a recording, or one without results of that node.
    """

    def __init__(self, path: Path, node: str = NODE) -> None:
        names = [f"{node}/{output}" for output in (MASK, SEMANTIC, SCORE)]
        with BagReader(path) as reader:
            found = sorted((t for t in reader.topics if t.name in names and t.count), key=lambda t: -t.count)
            # Every result has a message of the most complete output, but for what was lost on its way.
            stamps: Counter[int] = Counter()
            for topic in found:
                stamps |= Counter(header_stamp_ns(raw.data) for raw in reader.raw(topic))
            self.problems = [f"results: {problem}" for problem in reader.problems]
        self.answered = frozenset(stamps)
        self._results = ByStamp(((result.stamp_ns, result) for result in read_results(path, node)), stamps.elements())

    def at(self, stamp_ns: int) -> Result | None:
        """The result of a frame; asked in nearly the order of the recording."""
        return self._results.at(stamp_ns)

"""Everything that watches one camera: its input, its pictures, its results."""

import threading
import time
from dataclasses import dataclass, replace

from sensor_msgs.msg import CompressedImage, Image

from hybrid_seg_ros.detector import ConstantOutputError, InvalidOutputError, Segmentation
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.monitor.camera_health import CameraHealth, CameraHealthOptions, CameraVerdict
from hybrid_seg_ros.monitor.domain import DomainMonitor, DomainOptions
from hybrid_seg_ros.monitor.domain_reference import DomainReference
from hybrid_seg_ros.monitor.image_quality import QualityMonitor, QualityOptions
from hybrid_seg_ros.monitor.input_state import InputReport
from hybrid_seg_ros.monitor.output_check import OutputCheck, OutputOptions
from hybrid_seg_ros.monitor.picture import TILES
from hybrid_seg_ros.monitor.states import HealthState, headline
from hybrid_seg_ros.monitor.throttle import Throttle
from hybrid_seg_ros.ros.arrivals import ArrivalMonitor, Content, Sighting, content_of_message
from hybrid_seg_ros.ros.bridge import stamp_to_ns
from hybrid_seg_ros.ros.schema import Settings

QUALITY_PERIOD_S = 0.1
"""Quality is about what lasts for seconds: not every image need be looked at."""
DOMAIN_PERIOD_S = 0.5

INPUT_STATES = frozenset(
    {
        HealthState.CAMERA_WAITING,
        HealthState.CAMERA_MISSING,
        HealthState.CAMERA_STALE,
        HealthState.CAMERA_REJECTED,
    }
)
"""What the newest messages are, or that there are none: no judgement on the image that a result is made of."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Names of states by who found them; `arriving` of the newest image, `taken` of the one that is looked at."""

    arriving: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    quality: frozenset[str] = frozenset()
    result: frozenset[str] = frozenset()
    domain: frozenset[str] = frozenset()
    ground: frozenset[str] = frozenset()
    unheard: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.unheard | self.arriving | self.taken | self.quality | self.result | self.domain | self.ground


class CameraMonitors:
    """The monitors of one camera.

    `arrived` is called by the executor's thread, `image`, `result` and `failed` by the worker's, the rest by any.

    Args:
        settings: of this camera.
        reference: what known scenes look like; None: nobody knows, and the scene is not judged.
    """

    def __init__(self, settings: Settings, reference: DomainReference | None) -> None:
        self._quality = QualityMonitor(QualityOptions(after_s=settings.quality_after_s))
        self._arrivals = ArrivalMonitor(settings)
        self._output = OutputCheck(OutputOptions(frames=settings.output_frames))
        self._domain: DomainMonitor | None = None
        if reference is not None and settings.domain_check:
            self._domain = DomainMonitor(reference, DomainOptions(after_s=settings.domain_after_s))
        self._judges_quality = settings.image_quality
        self._flood_hz = settings.flood_hz
        self._rhythm = Throttle(QUALITY_PERIOD_S)
        self._domain_rhythm = Throttle(DOMAIN_PERIOD_S)
        self._health = CameraHealth()
        self._lock = threading.Lock()
        self._found = _Found()
        self._failed_at: dict[HealthState, float] = {}
        self.why = ""
        """What is wrong with the last result, in words."""

    def reset(self) -> None:
        """Forget everything: the camera is listened to anew."""
        with self._lock:
            for monitor in (self._arrivals, self._quality, self._output, self._domain):
                if monitor is not None:
                    monitor.reset()
            self._health = CameraHealth()
            self._found = _Found()
            self._failed_at.clear()
            self._rhythm.clear()
            self._domain_rhythm.clear()
            self.why = ""

    def wanted(self, now_s: float) -> Outputs:
        """What the monitors need of the next result beside what others do."""
        due = self._domain is not None and self._domain_rhythm.ready("due", now_s)
        return Outputs.SCORE if due else Outputs(0)

    def arrived(self, message: Image | CompressedImage, ros_now_ns: int) -> Sighting:
        """Look at a message when it arrives: the network may never get to it; a fraction of a millisecond."""
        content = content_of_message(message) if self._arrivals.looks else Content()
        with self._lock:
            sighting = self._arrivals.arrived(content, stamp_to_ns(message.header), ros_now_ns)
            self._found = replace(self._found, arriving=sighting.states)
        return sighting

    def image(self, frame: Frame, sighting: Sighting, now_s: float) -> None:
        """Look at an image before the network does.

        Args:
            frame: the image.
            sighting: of its arrival. Its states are the image's own: they hold until another is looked at, for a
                result that is still to come is of this image and not of the newest.
            now_s: monotonic seconds.
        """
        glimpse = frame.glimpse
        with self._lock:
            quality = self._found.quality
            taken = self._arrivals.decoded(sighting, frame)
            large = glimpse.shape[0] >= TILES[0] and glimpse.shape[1] >= TILES[1]
            if self._judges_quality and large and self._rhythm.ready("quality", now_s):
                quality = self._quality.update(glimpse, now_s)
            self._found = replace(self._found, taken=taken, quality=quality)

    def result(self, result: Segmentation, ground_unknown: bool, now_s: float) -> None:
        """Look at a result before it is published.

        Args:
            result: with whatever was computed.
            ground_unknown: whether somebody wants metres and there are none.
            now_s: monotonic seconds.
        """
        with self._lock:
            domain = self._found.domain
            output = self._output.update(labels=result.labels, score=result.score)
            self.why = self._output.why
            if self._domain is not None and result.score is not None:
                domain = self._domain.update(result.score, now_s)
            ground = frozenset({HealthState.GROUND_UNKNOWN.value}) if ground_unknown else frozenset()
            self._found = replace(self._found, result=output, domain=domain, ground=ground, unheard=frozenset())

    def unheard(self) -> None:
        """Nobody wants results: there are none, and what the last ones were says nothing about now."""
        with self._lock:
            found = self._found
            unheard = frozenset({HealthState.OUTPUTS_UNHEARD.value})
            self._found = _Found(found.arriving, found.taken, found.quality, unheard=unheard)
            self.why = ""

    def failed(self, error: Exception) -> None:
        """There is no result."""
        state = HealthState.NETWORK_FAILED
        if isinstance(error, InvalidOutputError):
            constant = isinstance(error, ConstantOutputError)
            state = HealthState.OUTPUT_CONSTANT if constant else HealthState.OUTPUT_NAN
        with self._lock:
            self._found = replace(self._found, result=frozenset({state.value}), unheard=frozenset())
            self._failed_at[state] = time.monotonic()
            self.why = str(error)

    def verdict(self, report: InputReport, settings: Settings, now_s: float) -> CameraVerdict:
        """What is known at `now_s`, with the report of its input made then."""
        options = CameraHealthOptions(settings.no_image_warning_s, self._flood_hz)
        with self._lock:
            return self._health.update(report, self._found.all, options, now_s)

    def since(self, verdict: CameraVerdict, since_s: float) -> CameraVerdict:
        """The verdict with what failed since then, for who asks so seldom: the next image may have been answered."""
        with self._lock:
            states = verdict.states.union(state for state, at_s in self._failed_at.items() if at_s >= since_s)
        return replace(verdict, states=states, headline=headline(states))

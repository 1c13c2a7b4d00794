"""One camera's obstacles on their way to planners and people: topics that cost nothing while nobody listens."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import LaserScan, PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.obstacles.cloud import Points, point_cloud
from hybrid_seg_ros.obstacles.detections import detections
from hybrid_seg_ros.obstacles.grid import Cells, GridGeometry, OccupancyMapper, unknown_grid
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.markers import obstacle_boxes
from hybrid_seg_ros.obstacles.organised import OrganisedCloud
from hybrid_seg_ros.obstacles.scan import laser_scan, rays_in_view
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.ros.liveliness import watched
from hybrid_seg_ros.ros.obstacle_messages import (
    cloud_message,
    detections_message,
    grid_message,
    markers_message,
    organised_message,
    scan_message,
)
from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.ros.vision import vision_messages

NONE = Outputs(0)

IN_METRES: dict[str, type] = {
    # in the order of publication: what a planner waits for first, what people look at last
    "obstacles": PointCloud2,
    "obstacle_scan": LaserScan,
    "occupancy": OccupancyGrid,
    "obstacles_organized": PointCloud2,
    "obstacles_raw": PointCloud2,
    "markers": MarkerArray,
}
"""Topic -> its message, of those that need the camera's pose."""

FROM_LABELS = ("occupancy", "obstacles_organized")
"""Topics that tell of the free ground, too."""


@dataclass(frozen=True, slots=True)
class PlannerOptions:
    """What planners get, and what they are promised.

    Attributes:
        base_frame: frame of everything in metres.
        ground_z: height of the ground in it, m.
        z_min: lower end of the clouds' height band, m over the ground.
        z_max: upper end, m over the ground.
        layers: points on top of each other for each contact.
        voxel_m: of the contacts in a square of this side one is kept, m; 0 keeps all.
        scan_angle_min: bearing of the scan's first ray, rad.
        scan_angle_max: bearing of its last ray, rad.
        scan_increment: between rays, rad.
        scan_range_min: m.
        scan_range_max: m.
        grid: where the cells lie.
        reliability: "reliable" or "best_effort".
        deadline_s: offered deadline, s; 0 for none.
        lease_s: offered liveliness lease, asserted topic by topic, s; 0 for none.
    """

    base_frame: str
    ground_z: float
    z_min: float
    z_max: float
    layers: int
    voxel_m: float
    scan_angle_min: float
    scan_angle_max: float
    scan_increment: float
    scan_range_min: float
    scan_range_max: float
    grid: GridGeometry
    reliability: str = "reliable"
    deadline_s: float = 0.0
    lease_s: float = 0.0


class ObstacleOutputs:
    """The publishers of one camera's obstacles.

    Results come from the worker's thread; leases may be renewed by any thread.

    Args:
        node: publishes.
        camera: the camera's name, "" for the only one.
        options: see there.
    """

    def __init__(self, node: Node, camera: str, options: PlannerOptions) -> None:
        prefix = f"~/{camera}/" if camera else "~/"
        qos = watched(keep_last(options.reliability, 1), options.deadline_s, options.lease_s)
        self._node = node
        self._options = options
        self._lock = threading.Lock()
        self._messages = vision_messages()
        self._mapper = OccupancyMapper(options.grid)
        self._organised = OrganisedCloud()
        self._view: tuple[GroundProjection, npt.NDArray[np.bool_]] | None = None
        kinds = dict(IN_METRES)
        if self._messages is not None:
            kinds["detections"] = self._messages.Detection2DArray
        self._publishers: dict[str, Publisher] = {
            topic: node.create_publisher(kind, prefix + topic, qos) for topic, kind in kinds.items()
        }

    def wanted(self) -> Outputs:
        """What the detector must compute for those who listen now; empty when nobody does."""
        if not any(map(self._heard, self._publishers)):
            return NONE
        wanted = Outputs.MASK | Outputs.SCORE
        return wanted | Outputs.LABELS if any(map(self._heard, FROM_LABELS)) else wanted

    def heard_in_metres(self) -> bool:
        """Whether somebody listens to what needs the camera's pose."""
        return any(map(self._heard, IN_METRES))

    def points(self, obstacles: Obstacles) -> Points:
        """POINT[N] of the confirmed obstacles, as in `~/obstacles`."""
        return self._points(obstacles, confirmed_only=True)

    def publish(
        self,
        obstacles: Obstacles,
        ground: GroundProjection | None,
        labels: npt.NDArray[np.uint8] | None,
        drivable: npt.NDArray[np.bool_],
        stamp: Time,
        *,
        image_frame: str = "",
        unknown: bool = False,
    ) -> None:
        """Publish a result to those who listen, each message built only then.

        Args:
            obstacles: of one image, all of them, with `confirmed`.
            ground: how the image lies on the ground. None: nothing in metres is published, since an empty cloud would
                say "clear".
            labels: uint8[H, W], class ids, of the obstacles' size; None: what needs them is not published.
            drivable: bool[K], by class id.
            stamp: of the image, carried bit for bit.
            image_frame: frame_id of the image, for what is in pixels.
            unknown: the result is not to be believed: nothing is published but a grid of which nothing is known.
        """
        header = Header(stamp=stamp, frame_id=self._options.base_frame)
        if unknown:
            self._send("occupancy", lambda: self._grid(unknown_grid(self._options.grid), header))
            return
        if ground is not None:
            self._publish_in_metres(obstacles, ground, labels, drivable, header)
        messages = self._messages
        if messages is not None:
            pixels = Header(stamp=stamp, frame_id=image_frame)
            self._send("detections", lambda: detections_message(detections(obstacles), pixels, messages))

    def assert_alive(self) -> None:
        """Renew the leases that the QoS may offer."""
        with self._lock:
            for publisher in self._publishers.values():
                publisher.assert_liveliness()

    def close(self) -> None:
        """Destroy the publishers, after the worker has ended; nobody is heard from then on."""
        with self._lock:
            publishers, self._publishers = self._publishers, {}
        for publisher in publishers.values():
            self._node.destroy_publisher(publisher)

    def _heard(self, topic: str) -> bool:
        publisher = self._publishers.get(topic)
        return publisher is not None and publisher.get_subscription_count() > 0

    def _send(self, topic: str, message: Callable[[], object]) -> None:
        if self._heard(topic):
            self._publishers[topic].publish(message())

    def _publish_in_metres(
        self,
        obstacles: Obstacles,
        ground: GroundProjection,
        labels: npt.NDArray[np.uint8] | None,
        drivable: npt.NDArray[np.bool_],
        header: Header,
    ) -> None:
        z = self._options.ground_z
        self._send("obstacles", lambda: cloud_message(self.points(obstacles), header))
        self._send("obstacle_scan", lambda: self._scan(obstacles, ground, header))
        if labels is not None:  # else somebody began to listen while the frame was computed: the next one has it
            self._send(
                "occupancy",
                lambda: self._grid(self._mapper.occupancy(obstacles, labels, drivable, ground), header),
            )
            self._send(
                "obstacles_organized",
                lambda: organised_message(
                    self._organised.cloud(obstacles, labels, drivable, ground, ground_z=z), header
                ),
            )
        self._send("obstacles_raw", lambda: cloud_message(self._points(obstacles, confirmed_only=False), header))
        self._send("markers", lambda: markers_message(obstacle_boxes(obstacles, ground_z=z), header))

    def _points(self, obstacles: Obstacles, *, confirmed_only: bool) -> Points:
        options = self._options
        return point_cloud(
            obstacles,
            z_min=options.z_min,
            z_max=options.z_max,
            layers=options.layers,
            confirmed_only=confirmed_only,
            ground_z=options.ground_z,
            voxel_m=options.voxel_m,
        )

    def _scan(self, obstacles: Obstacles, ground: GroundProjection, header: Header) -> LaserScan:
        options = self._options
        angle_min, increment = options.scan_angle_min, options.scan_increment
        range_min, range_max = options.scan_range_min, options.scan_range_max
        if self._view is None or self._view[0] is not ground:
            in_view = rays_in_view(
                ground,
                angle_min=angle_min,
                angle_max=options.scan_angle_max,
                increment=increment,
                range_min=range_min,
                range_max=range_max,
            )
            self._view = (ground, in_view)
        ranges = laser_scan(
            obstacles,
            angle_min=angle_min,
            angle_max=options.scan_angle_max,
            increment=increment,
            range_min=range_min,
            range_max=range_max,
            in_view=self._view[1],
        )
        return scan_message(
            ranges, header, angle_min=angle_min, increment=increment, range_min=range_min, range_max=range_max
        )

    def _grid(self, cells: Cells, header: Header) -> OccupancyGrid:
        return grid_message(cells, header, self._options.grid, ground_z=self._options.ground_z)

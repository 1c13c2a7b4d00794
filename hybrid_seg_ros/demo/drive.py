"""Recording a generated drive: one bag as a car would record it, one with the truth."""

import contextlib
import dataclasses
import multiprocessing
import os
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tqdm import tqdm

from hybrid_seg_ros.bags import BagWriter
from hybrid_seg_ros.bags.messages import camera_info_message, image_message
from hybrid_seg_ros.bags.topics import CAMERA_INFO, IMAGE
from hybrid_seg_ros.bags.truth import Truth, TruthWriter
from hybrid_seg_ros.scenes import Drive, DriveConfig, SceneFrame

IMAGE_TOPIC = "/camera/image_raw"
INFO_TOPIC = "/camera/camera_info"


def record_drive(
    config: DriveConfig, bag: Path, truth: Path, *, workers: int | None = None, progress: bool = True
) -> None:
    """Render and write every frame of a drive.

    Args:
        config: the drive.
        bag: rosbag2 folder to make: raw images and CameraInfo.
        truth: rosbag2 folder to make: the ground truth.
        workers: processes that render; None takes one per usable core.
        progress: show a progress bar on stderr.

    Raises:
        BagError: one of the folders exists.
    """
    workers = len(os.sched_getaffinity(0)) if workers is None else workers
    with contextlib.closing(rendered(config, workers)) as scenes, BagWriter(bag) as camera, BagWriter(truth) as truths:
        truth_writer = TruthWriter(truths)
        for scene in tqdm(scenes, total=config.n_frames, unit="frame", desc="generate the drive", disable=not progress):
            _write_frame(camera, scene)
            unknown = [dataclasses.asdict(obstacle) for obstacle in scene.obstacles if not obstacle.known]
            truth_writer.write(Truth(scene.frame.stamp_ns, scene.labels, scene.anomaly, scene.instances, unknown))


def rendered(config: DriveConfig, workers: int) -> Generator[SceneFrame, None, None]:
    """All frames of a drive in order, rendered by several processes; the same for any number of them."""
    workers = min(workers, config.n_frames)
    if workers <= 1:
        yield from Drive(config)
        return
    # spawn: a forked child would inherit the locks of this process's threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(config,))
    try:
        yield from pool.map(_render, range(config.n_frames))
    finally:
        # Who stops early does not wait for the rest of the drive.
        pool.shutdown(cancel_futures=True)


_drive: Drive | None = None


def _start(config: DriveConfig) -> None:
    """A worker builds the street once."""
    import cv2

    global _drive
    cv2.setNumThreads(1)
    _drive = Drive(config)


def _render(index: int) -> SceneFrame:
    if _drive is None:
        raise RuntimeError("the worker has no drive")
    return _drive.frame(index)


def _write_frame(camera: BagWriter, scene: SceneFrame) -> None:
    frame = scene.frame
    stamp, frame_id = frame.stamp_ns, frame.frame_id
    if frame.camera is not None:
        camera.write(INFO_TOPIC, CAMERA_INFO, stamp, camera_info_message(frame.camera, stamp=stamp, frame_id=frame_id))
    camera.write(IMAGE_TOPIC, IMAGE, stamp, image_message(frame.image, "bgr8", stamp=stamp, frame_id=frame_id))

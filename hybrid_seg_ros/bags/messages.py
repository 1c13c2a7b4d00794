"""Between serialised ROS messages and the detector's types, by rosbags and without ROS."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from hybrid_seg_ros.bags.topics import CAMERA_INFO, COMPRESSED, IMAGE
from hybrid_seg_ros.frames import CameraModel, Frame
from hybrid_seg_ros.frames.camera_info import camera_from_info
from hybrid_seg_ros.frames.compressed import decode_compressed
from hybrid_seg_ros.frames.encodings import decode

STRING = "std_msgs/msg/String"

# A deserialised message is a dataclass that rosbags generates at run time from the recording's own definition.
Message = Any


@cache
def ros_types() -> Typestore:
    """Message definitions of ROS 2 Humble: for these types the same in every later distribution."""
    return get_typestore(Stores.ROS2_HUMBLE)


def stamp_ns(message: Message) -> int:
    """Header stamp of a deserialised message, ns."""
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)


def image_from_message(message: Message, type_name: str) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3] BGR of an Image or CompressedImage.

    Raises:
        ImageFormatError: the message does not hold what it declares.
    """
    if type_name == COMPRESSED:
        return decode_compressed(message.data, str(message.format))
    return decode(
        message.data,
        width=int(message.width),
        height=int(message.height),
        encoding=str(message.encoding),
        step=int(message.step),
        is_bigendian=bool(message.is_bigendian),
    )


def image_message(array: npt.NDArray[Any], encoding: str, *, stamp: int, frame_id: str) -> bytes:
    """Serialised sensor_msgs/Image of a C-contiguous H x W or H x W x C array (uint8 or little-endian float32)."""
    store = ros_types()
    data = np.ascontiguousarray(array)
    message = store.types[IMAGE](
        header=_header(stamp, frame_id),
        height=data.shape[0],
        width=data.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=data.nbytes // data.shape[0],
        data=data.reshape(-1).view(np.uint8),
    )
    return bytes(store.serialize_cdr(message, IMAGE))


def compressed_message(data: bytes, image_format: str, *, stamp: int, frame_id: str) -> bytes:
    """Serialised sensor_msgs/CompressedImage."""
    store = ros_types()
    payload = np.frombuffer(data, np.uint8)
    message = store.types[COMPRESSED](header=_header(stamp, frame_id), format=image_format, data=payload)
    return bytes(store.serialize_cdr(message, COMPRESSED))


def camera_info_message(camera: CameraModel, *, stamp: int, frame_id: str) -> bytes:
    """Serialised sensor_msgs/CameraInfo of an unrectified pinhole camera (R = identity, P = [K | 0])."""
    store = ros_types()
    k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], np.float64)
    message = store.types[CAMERA_INFO](
        header=_header(stamp, frame_id),
        height=camera.height,
        width=camera.width,
        distortion_model=camera.distortion_model,
        d=np.array(camera.distortion, np.float64),
        k=k,
        r=np.eye(3).reshape(-1),
        p=np.hstack([k.reshape(3, 3), np.zeros((3, 1))]).reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=store.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False),
    )
    return bytes(store.serialize_cdr(message, CAMERA_INFO))


def string_message(text: str) -> bytes:
    """Serialised std_msgs/String."""
    store = ros_types()
    return bytes(store.serialize_cdr(store.types[STRING](data=text), STRING))


def frame_from_message(message: Message, type_name: str, info: Message | None) -> Frame:
    """The detector's Frame of an image message and the CameraInfo that goes with it.

    Raises:
        ImageFormatError: the image is not what its message declares.
    """
    image = image_from_message(message, type_name)
    size = (image.shape[1], image.shape[0])
    return Frame(
        image,
        stamp_ns=stamp_ns(message),
        frame_id=str(message.header.frame_id),
        camera=None if info is None else camera_from_info(info, size),
    )


def _header(stamp: int, frame_id: str) -> Message:
    store = ros_types()
    sec, nanosec = divmod(stamp, 1_000_000_000)
    time = store.types["builtin_interfaces/msg/Time"](sec=sec, nanosec=nanosec)
    return store.types["std_msgs/msg/Header"](stamp=time, frame_id=frame_id)

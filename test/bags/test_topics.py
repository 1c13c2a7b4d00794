import pytest

from hybrid_seg_ros.bags.topics import (
    CAMERA_INFO,
    COMPRESSED,
    IMAGE,
    BagError,
    Topic,
    choose_camera_info,
    choose_image_topic,
)

RAW = Topic("/camera/image_raw", IMAGE, 10)
JPEG = Topic("/camera/image_raw/compressed", COMPRESSED, 10)
REAR = Topic("/rear/image_raw", IMAGE, 10)
DEPTH = Topic("/camera/depth/compressedDepth", COMPRESSED, 10)
INFO = Topic("/camera/camera_info", CAMERA_INFO, 10)
REAR_INFO = Topic("/rear/camera_info", CAMERA_INFO, 10)


def test_the_only_camera_is_taken_without_asking() -> None:
    assert choose_image_topic([INFO, JPEG]) is JPEG


def test_one_camera_recorded_raw_and_compressed_is_not_ambiguous() -> None:
    assert choose_image_topic([JPEG, RAW, DEPTH, INFO]) is RAW


def test_several_cameras_need_a_name_and_the_error_lists_them() -> None:
    with pytest.raises(
        BagError, match=r"several image topics.*--image-topic(?s:.*)/camera/image_raw(?s:.*)/rear/image_raw"
    ):
        choose_image_topic([RAW, REAR, INFO])


@pytest.mark.parametrize("name", ["/rear/image_raw", "rear/image_raw"])
def test_a_named_topic_is_found_with_or_without_its_slash(name: str) -> None:
    assert choose_image_topic([RAW, REAR], name) is REAR


def test_a_named_camera_is_found_by_its_base_name_when_only_compressed_is_there() -> None:
    assert choose_image_topic([JPEG, REAR], "/camera/image_raw") is JPEG


def test_an_unknown_topic_lists_what_there_is() -> None:
    with pytest.raises(
        BagError, match=r"no image topic '/front'(?s:.*)/rear/image_raw  .sensor_msgs/msg/Image, 10 messages"
    ):
        choose_image_topic([REAR], "front")


def test_the_only_camera_taken_for_labels_is_named() -> None:
    with pytest.raises(BagError, match="no image topic with messages in the recording beside /rear/image_raw;"):
        choose_image_topic([REAR], besides=["rear/image_raw"])


@pytest.mark.parametrize("topics", [[], [INFO], [DEPTH], [Topic("/camera/image_raw", IMAGE, 0)]])
def test_a_recording_without_pictures_says_so(topics: list[Topic]) -> None:
    with pytest.raises(BagError, match="no image topic"):
        choose_image_topic(topics)


def test_a_named_but_empty_topic_says_so() -> None:
    with pytest.raises(BagError, match="has no messages"):
        choose_image_topic([Topic("/camera/image_raw", IMAGE, 0), REAR], "/camera/image_raw")


def test_camera_info_is_the_siblings_else_the_only_one() -> None:
    assert choose_camera_info([INFO, REAR_INFO], JPEG) is INFO
    assert choose_camera_info([INFO, REAR_INFO], REAR) is REAR_INFO
    assert choose_camera_info([INFO], Topic("/image", IMAGE, 1)) is INFO
    assert choose_camera_info([INFO, REAR_INFO], Topic("/other/image", IMAGE, 1)) is None
    assert choose_camera_info([], RAW) is None

"""Recordings judged end to end: on results whose quality is known beforehand, and through a real small network."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, jaccard_score
from support.recordings import picture, record, stamp

from hybrid_seg_ros.assessment.frame_truth import TruthError
from hybrid_seg_ros.assessment.recording import CONFUSION, COUNTS, RecordingOptions, assess_recording
from hybrid_seg_ros.bags import BagError, BagWriter, read_results
from hybrid_seg_ros.bags.messages import STRING, image_message, string_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bags.truth import Truth, TruthWriter
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.report.document import Evaluation, read_evaluation

FRAMES, W, H = 8, 64, 48


def truth_of(index: int) -> Truth:
    """Classes 0 and 1 side by side, void below, and one obstacle that grows as it comes nearer."""
    labels = np.zeros((H, W), np.uint8)
    labels[:, W // 2 :] = 1
    side = 4 + 2 * index
    instances = np.zeros((H, W), np.uint16)
    instances[6 : 6 + side, 8 : 8 + side] = 3
    labels[instances == 3] = 200
    anomaly = (instances == 3).astype(np.uint8)
    anomaly[-4:] = 255
    labels[-4:] = 255
    obstacle = {"id": 3, "kind": "sofa", "distance": 30.0 - 3 * index}
    return Truth(stamp(index), labels, anomaly, instances, [obstacle])


def answer_of(index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    truth = truth_of(index)
    noise = np.random.default_rng(index).normal(size=(H, W)).astype(np.float32)
    score = noise + np.float32(1.5) * (truth.anomaly == 1)
    labels = np.where(truth.labels > 1, 0, truth.labels).astype(np.uint8)
    labels[:, -10:] = 0
    mask = np.where((truth.anomaly == 1) & (index >= 3), 255, 0).astype(np.uint8)
    return labels, score, mask


@pytest.fixture
def drive(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A recording, its truth and a node's results; frame 4 has no answer."""
    bag = record(tmp_path / "drive", FRAMES)
    with BagWriter(tmp_path / "truth") as truths, BagWriter(tmp_path / "seen") as seen:
        writer = TruthWriter(truths)
        seen.write("/hybrid_seg/label_info_json", STRING, stamp(0), string_message(json.dumps({"threshold": 2.0})))
        for index in range(FRAMES):
            writer.write(truth_of(index))
            if index != 4:
                for name, array in zip(("semantic", "anomaly_score", "obstacle_mask"), answer_of(index), strict=True):
                    encoding = "32FC1" if array.dtype == np.float32 else "mono8"
                    data = image_message(array, encoding, stamp=stamp(index), frame_id="c")
                    seen.write(f"/hybrid_seg/{name}", IMAGE, stamp(index), data)
    return bag, tmp_path / "truth", tmp_path / "seen"


def judged(drive: tuple[Path, Path, Path], bundle: Bundle, out: Path, **more: object) -> Evaluation:
    bag, truth, seen = drive
    options = RecordingOptions(mode="recorded", bundle=str(bundle.path), results=seen, truth=truth)
    return assess_recording(bag, replace(options, **more), out=out, progress=False)


def test_figures_are_those_of_scikit_learn(drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path) -> None:
    found = judged(drive, tiny_bundle, tmp_path / "out")
    assert read_evaluation(tmp_path / "out" / "evaluation.json") == found
    answered = [i for i in range(FRAMES) if i != 4]
    truths = np.stack([truth_of(i).anomaly for i in answered])
    scores = np.stack([answer_of(i)[1] for i in answered])
    valid = truths != 255
    (score,) = found.scores.values()
    assert score.ap == pytest.approx(average_precision_score(truths[valid] == 1, scores[valid]), abs=1e-5)
    labels = np.stack([truth_of(i).labels for i in answered])
    predicted = np.stack([answer_of(i)[0] for i in answered])
    known = labels <= 1
    iou = jaccard_score(labels[known], predicted[known], labels=[0, 1], average=None)
    assert found.closed_set is not None
    names = [c.name for c in tiny_bundle.manifest.classes]
    assert [found.closed_set.iou[names[0]], found.closed_set.iou[names[1]]] == pytest.approx(iou)
    assert (found.images, found.images_without_anomaly) == (7, 0)
    assert found.void_pixels == 7 * 4 * W
    row = found.frames[5]
    valid = truth_of(5).anomaly != 255
    expected = average_precision_score(truth_of(5).anomaly[valid] == 1, answer_of(5)[1][valid])
    assert row.ap == pytest.approx(expected)
    assert row.anomaly_rate == pytest.approx(14 * 14 / (W * H))
    assert [f.state for f in found.frames] == ["answered"] * 4 + ["dropped"] + ["answered"] * 3
    assert found.node is not None
    assert (found.node.mode, found.node.answered, found.node.dropped) == ("recorded", 7, 1)
    assert found.network.threshold == 2.0
    assert score.components is not None
    assert score.components.ground_truth == 7
    # What pooling several recordings needs lies beside the document.
    assert PixelCounts.load(tmp_path / "out" / COUNTS).anomaly == found.anomaly_pixels == (truths == 1).sum()
    matrix = np.load(tmp_path / "out" / CONFUSION, allow_pickle=False)
    assert matrix.sum() == found.closed_set.pixels == known.sum()


def test_the_obstacle_of_the_drive(drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path) -> None:
    found = judged(drive, tiny_bundle, tmp_path / "out")
    assert found.video is not None
    (sofa,) = found.video.obstacles
    assert (sofa.kind, sofa.frames_in_view, sofa.frames_detected) == ("sofa", 7, 4)  # 16 px at first are too few
    assert sofa.first_in_view_m == pytest.approx(27.0)
    assert sofa.first_detected_m == pytest.approx(21.0)
    assert sofa.time_to_detection_s == pytest.approx(2 / 15, abs=1e-6)
    assert 0 < (found.video.mask_flicker or 0) < 1


def test_pictures_lie_where_the_document_says(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    found = judged(drive, tiny_bundle, tmp_path / "out")
    assert {p.kind for p in found.pictures} <= {"miss", "false_alarm"}
    assert found.pictures
    for shown in found.pictures:
        assert cv2.imread(str(tmp_path / "out" / shown.file)) is not None
    assert judged(drive, tiny_bundle, tmp_path / "none", pictures=0).pictures == []


def test_without_truth_the_suspicious_frames_and_agreement(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    found = judged(drive, tiny_bundle, tmp_path / "out", truth=None, against=drive[2], pictures=2)
    assert (found.truth, found.scores, found.closed_set) == ("", {}, None)
    assert found.agreement is not None
    assert (found.agreement.frames, found.agreement.labels, found.agreement.mask_iou) == (7, 1.0, 1.0)
    assert found.agreement.score_correlation == pytest.approx(1.0)
    assert [p.frame for p in found.pictures] == ["frame 7", "frame 6"]
    assert [f.anomaly_rate for f in found.frames][:3] == [0.0, 0.0, 0.0]


def write_labels(folder: Path, names: list[str], value: int = 200) -> Path:
    folder.mkdir()
    for index, name in enumerate(names):
        labels = np.where(truth_of(index).labels == 200, value, truth_of(index).labels).astype(np.uint8)
        assert cv2.imwrite(str(folder / name), labels)
    return folder


def test_a_folder_of_label_pictures(drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path) -> None:
    by_topic = judged(drive, tiny_bundle, tmp_path / "topics", pictures=0)
    for matched, names in (("stamp", [str(stamp(i)) for i in range(FRAMES)]), ("index", list("abcdefgh"))):
        folder = write_labels(tmp_path / matched, [f"{name}.png" for name in names])
        out = tmp_path / f"by_{matched}"
        by_folder = judged(drive, tiny_bundle, out, truth=folder, anomaly_ids=(200,), pictures=0)
        assert by_folder.truth == f"folder {matched}, by {matched}"
        assert by_folder.scores == by_topic.scores
        assert by_folder.closed_set == by_topic.closed_set


def test_a_folder_that_does_not_fit(drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path) -> None:
    folder = write_labels(tmp_path / "labels", [f"f{i}.png" for i in range(FRAMES - 1)])
    with pytest.raises(TruthError, match="7 pictures for 8 frames"):
        judged(drive, tiny_bundle, tmp_path / "a", truth=folder)
    found = judged(drive, tiny_bundle, tmp_path / "b", truth=folder, matching="index")
    assert ("ground truth", "1 frames have no picture") in [(p.where, p.what) for p in found.problems]
    with pytest.raises(TruthError, match="no file has the stamp"):
        judged(drive, tiny_bundle, tmp_path / "c", truth=folder, matching="stamp")
    with pytest.raises(TruthError, match="no such ground truth"):
        judged(drive, tiny_bundle, tmp_path / "d", truth=tmp_path / "nowhere")
    with pytest.raises(TruthError, match=r"f0\.png: .*expected a recording or a folder"):
        judged(drive, tiny_bundle, tmp_path / "e", truth=folder / "f0.png")


def test_pictures_named_by_stamps_of_another_drive_are_not_taken_in_their_order(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    folder = write_labels(tmp_path / "labels", [f"{stamp(i + 1000)}.png" for i in range(FRAMES)])
    with pytest.raises(TruthError, match=r"no file has the stamp of a frame in its name.*--match index"):
        judged(drive, tiny_bundle, tmp_path / "a", truth=folder)
    assert judged(drive, tiny_bundle, tmp_path / "b", truth=folder, matching="index").images == FRAMES - 1


def test_a_picture_of_another_size_is_that_frames_problem(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    folder = write_labels(tmp_path / "labels", [f"f{i}.png" for i in range(FRAMES)])
    assert cv2.imwrite(str(folder / "f2.png"), np.zeros((10, 20), np.uint8))
    (folder / "f3.png").write_bytes(b"no picture")
    found = judged(drive, tiny_bundle, tmp_path / "out", truth=folder, anomaly_ids=(200,))
    assert found.images == 5
    told = {p.where: p.what for p in found.problems}
    assert "20x10" in told["frame 2"]
    assert "f3.png" in told["frame 3"]
    assert len(found.frames) == FRAMES


def test_a_result_of_another_size_costs_no_other_frame(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    with BagWriter(mixed) as seen:
        for index in range(FRAMES):
            for name, array in zip(("semantic", "anomaly_score", "obstacle_mask"), answer_of(index), strict=True):
                cut = array[: H // 2] if index == 3 else array
                data = image_message(
                    cut, "32FC1" if name == "anomaly_score" else "mono8", stamp=stamp(index), frame_id=""
                )
                seen.write(f"/hybrid_seg/{name}", IMAGE, stamp(index), data)
    found = judged((drive[0], drive[1], mixed), tiny_bundle, tmp_path / "out", against=drive[2])
    assert found.images == FRAMES - 1
    assert [problem.where for problem in found.problems] == ["frame 3"]
    assert f"{W}x{H // 2} px, expected {W}x{H} px" in found.problems[0].what
    assert found.agreement is not None
    assert found.agreement.frames == FRAMES - 2  # frame 4 has no answer in the other run


def test_another_run_of_other_frames_is_told(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    found = judged(drive, tiny_bundle, tmp_path / "out", against=drive[0])
    assert found.agreement is None
    (problem,) = found.problems
    assert problem.where == "the other run"
    assert "no result in it" in problem.what


def test_any_label_topic_with_given_ids(drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path) -> None:
    bag, _, seen = drive
    with BagWriter(tmp_path / "with_labels") as writer:
        for index in range(FRAMES):
            image = image_message(picture(index), "bgr8", stamp=stamp(index), frame_id="c")
            writer.write("/camera/image_raw", IMAGE, stamp(index), image)
            data = image_message(truth_of(index).labels, "mono8", stamp=stamp(index), frame_id="c")
            writer.write("/my/labels", IMAGE, stamp(index), data)
    options = RecordingOptions(
        mode="recorded",
        bundle=str(tiny_bundle.path),
        results=seen,
        truth_topic="my/labels",
        anomaly_ids=(200,),
    )
    found = assess_recording(tmp_path / "with_labels", options, out=tmp_path / "a", progress=False)
    assert found.truth == "topics /my/labels"
    assert found.scores == judged(drive, tiny_bundle, tmp_path / "b").scores
    with pytest.raises(TruthError, match=r"no topic /your/labels .* /camera/image_raw"):
        assess_recording(bag, replace(options, truth_topic="/your/labels"), out=tmp_path / "c", progress=False)


def test_truth_recorded_beside_the_camera_needs_no_options(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    with BagWriter(tmp_path / "all") as writer:
        truths = TruthWriter(writer)
        for index in range(FRAMES):
            image = image_message(picture(index), "bgr8", stamp=stamp(index), frame_id="c")
            writer.write("/camera/image_raw", IMAGE, stamp(index), image)
            truths.write(truth_of(index))
    found = judged((tmp_path / "all", drive[1], drive[2]), tiny_bundle, tmp_path / "a", truth=None)
    expected = judged(drive, tiny_bundle, tmp_path / "b")
    assert (found.scores, found.video) == (expected.scores, expected.video)
    assert found.truth == "topics /ground_truth/anomaly, /ground_truth/instances, /ground_truth/semantic"


def test_results_of_another_drive_are_refused(
    drive: tuple[Path, Path, Path], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    with BagWriter(other) as writer:
        writer.write("/image", IMAGE, 5, image_message(picture(0), "bgr8", stamp=5, frame_id="c"))
    with pytest.raises(BagError, match=r"seen: no result of /hybrid_seg belongs to an image of .*other"):
        judged((other, drive[1], drive[2]), tiny_bundle, tmp_path / "b")
    with pytest.raises(BagError, match=r"no result of /nobody belongs to an image of .*drive"):
        judged(drive, tiny_bundle, tmp_path / "a", running_node="/nobody")


def test_offline_twice_is_equal_but_for_the_times(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "bag", 4)
    options = RecordingOptions(bundle=str(tiny_bundle.path), overlay=True)
    one = assess_recording(bag, options, out=tmp_path / "one", progress=False)
    two = assess_recording(bag, options, out=tmp_path / "two", progress=False)
    again = assess_recording(bag, options, out=tmp_path / "two", progress=False)  # over what is there
    assert timeless(one) == timeless(two) == timeless(again)
    assert one.node is not None
    assert one.node.latency_ms is not None
    assert one.node.latency_ms.count == 4
    for a, b in zip(read_results(tmp_path / "one/results"), read_results(tmp_path / "two/results"), strict=True):
        np.testing.assert_array_equal(a.score, b.score)
    assert set(json.loads((tmp_path / "one/evaluation.json").read_text())) >= {"node", "frames", "video"}


def timeless(evaluation: Evaluation) -> Evaluation:
    node = evaluation.node
    assert node is not None
    return evaluation.model_copy(
        update={
            "date": "",
            "seconds": 0.0,
            "node": node.model_copy(update={"latency_ms": None, "reported_ms": {}}),
            "frames": [row.model_copy(update={"latency_ms": None}) for row in evaluation.frames],
        }
    )


def test_a_recording_cut_off_is_judged_as_far_as_it_goes(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "bag", 6)
    (file,) = bag.glob("*.mcap")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    found = assess_recording(bag, RecordingOptions(bundle=str(tiny_bundle.path)), out=tmp_path / "out", progress=False)
    assert 0 < len(found.frames) < 6
    assert any("lost" in p.what for p in found.problems)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "bag", 1)
    (tmp_path / "out/results").mkdir(parents=True)
    (tmp_path / "out/results/thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not made by an evaluation"):
        assess_recording(bag, RecordingOptions(bundle=str(tiny_bundle.path)), out=tmp_path / "out", progress=False)
    assert (tmp_path / "out/results/thesis.txt").read_text() == "mine"

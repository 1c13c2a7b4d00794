"""`hybrid-seg run`: pictures, a video or a camera through the network."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.detector_options import add_detector_arguments, detector_from
from hybrid_seg_ros.cli.table import two_columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hybrid_seg_ros.bundle import Manifest
    from hybrid_seg_ros.cli.sources import Source
    from hybrid_seg_ros.detector import Segmentation
    from hybrid_seg_ros.frames import Frame

_DESCRIPTION = """\
Run pictures through the network: an image file, a folder of images, a video file or a camera (by its index).
Images give one PNG each; a video or a camera gives one MP4.

what --save writes:
  panel     camera, classes, anomaly score and obstacles side by side (the default)
  overlay   class colours and obstacles on the picture
  labels    class ids, 8-bit gray
  heat      the anomaly score as colours
  mask      the obstacle mask, 0 or 255
  npz       labels, score, mask and threshold as arrays, one .npz per frame

All of it is in pixels. Obstacles in metres are the node's: docs/replay.md.
"""

_EXAMPLES = """\
examples:
  hybrid-seg run street.jpg
  hybrid-seg run pictures/ --out seen --save overlay mask
  hybrid-seg run drive.mp4 --threshold best_f1
  hybrid-seg run 0 --frames 300             the first camera, 300 frames (or until Ctrl-C)
"""

_PICTURES = ("panel", "overlay", "labels", "heat", "mask")


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        parents=[common],
        help="pictures, a video or a camera in, pictures or a video out",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", help="image, folder, video file, or camera index")
    parser.add_argument(
        "--out", type=Path, default=Path("hybrid_seg_output"), help="folder to write to (default: %(default)s)"
    )
    parser.add_argument(
        "--save",
        nargs="+",
        choices=(*_PICTURES, "npz"),
        default=["panel"],
        metavar="WHAT",
        help=f"any of {', '.join((*_PICTURES, 'npz'))} (default: panel)",
    )
    parser.add_argument("--frames", type=int, metavar="N", help="stop after N frames")
    add_detector_arguments(parser)
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Run, write, print what was made and the stage times."""
    import contextlib
    import itertools

    from tqdm import tqdm

    from hybrid_seg_ros.bags import spread
    from hybrid_seg_ros.cli.sources import open_source

    source = open_source(args.source)
    total = source.count if args.frames is None else min(args.frames, source.count or args.frames)
    stages: dict[str, list[float]] = {"preprocess": [], "network": [], "postprocess": []}
    with contextlib.closing(detector_from(args)) as detector:
        args.out.mkdir(parents=True, exist_ok=True)
        info = detector.info
        with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
            save = _Saver(source, args.out, args.save, detector.bundle.manifest, stack)
            frames = itertools.islice(source.frames(), args.frames)
            for name, frame in tqdm(frames, total=total, unit="frame", desc="run", disable=total == 1):
                segmentation = detector(frame)
                save(name, frame, segmentation)
                stages["preprocess"].append(segmentation.timings.preprocess_ms)
                stages["network"].append(segmentation.timings.network_ms)
                stages["postprocess"].append(segmentation.timings.postprocess_ms)
    count = len(stages["network"])
    rows = [("frames", str(count)), ("backend", f"{info.name} on {info.device}")]
    rows += [
        (name, f"p50 {s.p50:.1f} ms, p99 {s.p99:.1f} ms") for name, times in stages.items() if (s := spread(times))
    ]
    rows += [("written to", str(args.out))]
    print(two_columns(rows))
    return 0 if count else 1


class _Saver:
    """Writes what was asked for; pictures of a video go into one MP4 per kind, opened with the first frame."""

    def __init__(self, source: "Source", out: Path, what: list[str], manifest: "Manifest", stack: Any) -> None:  # noqa: ANN401
        from hybrid_seg_ros.visual import VideoWriter

        self._out = out
        self._what = what
        self._manifest = manifest
        stem = Path(str(source.capture)).stem if isinstance(source.capture, str) else "camera"
        self._videos = {
            kind: stack.enter_context(VideoWriter(out / f"{stem}_{kind}.mp4", source.fps))
            for kind in what
            if source.kind == "video" and kind in _PICTURES
        }

    def __call__(self, name: str, frame: "Frame", segmentation: "Segmentation") -> None:
        import cv2
        import numpy as np

        for kind in self._what:
            if kind == "npz":
                arrays: dict[str, Any] = {
                    "labels": segmentation.labels, "score": segmentation.score, "mask": segmentation.mask,
                    "threshold": segmentation.threshold,
                }  # fmt: skip
                np.savez_compressed(self._out / f"{name}.npz", **arrays)
                continue
            picture = self._picture(kind, frame, segmentation)
            if kind in self._videos:
                video = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
                self._videos[kind].write(video, frame.stamp_ns)
            elif not cv2.imwrite(str(path := self._out / f"{name}_{kind}.png"), picture):
                raise OSError(f"{path}: cannot be written")

    def _picture(self, kind: str, frame: "Frame", segmentation: "Segmentation") -> "npt.NDArray[np.uint8]":
        from hybrid_seg_ros.visual import heat_limits, heat_map, overlay, panel

        labels, score, mask = segmentation.labels, segmentation.score, segmentation.mask
        if labels is None or score is None or mask is None:
            raise RuntimeError("the detector left out an output it was asked for")
        limits = heat_limits(segmentation.threshold, self._manifest.score.kind)
        if kind == "panel":
            return panel(frame.image, segmentation, self._manifest.classes, limits=limits)
        if kind == "overlay":
            return overlay(frame.image, segmentation, self._manifest.classes)
        if kind == "heat":
            return heat_map(score, *limits)
        return labels if kind == "labels" else mask

"""Videos are read back with PyAV."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybrid_seg_ros.visual import VideoError, VideoWriter

av = pytest.importorskip("av")


def picture(i: int, width: int = 64, height: int = 48) -> np.ndarray:
    out = np.full((height, width, 3), (30, 60, 200), np.uint8)
    cv2.circle(out, (8 + 2 * i, height // 2), 6, (220, 40, 40), -1)
    return out


def bt709(frame: "av.VideoFrame") -> np.ndarray:
    """BGR of a yuv420p frame by the formula (ITU-R BT.709-6, limited range): PyAV's own way back varies by version."""
    height, width = frame.height, frame.width
    luma, u, v = np.split(frame.to_ndarray().reshape(-1), [width * height, width * height * 5 // 4])
    y = (luma.reshape(height, width) - 16.0) / 219
    cb, cr = ((c.reshape(height // 2, width // 2).repeat(2, 0).repeat(2, 1) - 128.0) / 224 for c in (u, v))
    red, blue = y + 1.5748 * cr, y + 1.8556 * cb
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.clip(np.rint(255 * np.dstack([blue, green, red])), 0, 255).astype(np.uint8)


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert all(f.colorspace == av.video.reformatter.Colorspace.ITU709 for f in frames), "players read this tag"
    return [bt709(f) for f in frames], [float(f.pts * f.time_base) for f in frames]


def test_pictures_come_back_in_order_and_in_their_colors(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, fps=10, quality=12) as video:
        for i in range(12):
            video.write(picture(i))
    pictures, times = read(path)
    assert len(pictures) == 12
    np.testing.assert_allclose(np.diff(times), 0.1, atol=1e-4)
    for i, out in enumerate(pictures):
        assert np.abs(out[2:10, :16].astype(int) - (30, 60, 200)).max() <= 8
        assert np.abs(out[24, 8 + 2 * i].astype(int) - (220, 40, 40)).max() <= 30


def test_browsers_can_play_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, fps=15) as video:
        video.write(picture(0))
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat"), "the index comes first"


@pytest.mark.parametrize("size", [(63, 48), (64, 47), (63, 47)])
def test_odd_sides_are_extended(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, fps=15, quality=10) as video:
        video.write(picture(0, *size))
    out = read(path)[0][0]
    assert out.shape == (48, 64, 3)
    assert np.abs(out[:, -1].astype(int) - (30, 60, 200)).max() <= 10


def test_stamps_keep_real_time_and_never_go_back(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    start = 1_700_000_000_000_000_000
    with VideoWriter(path, fps=10) as video:
        for offset_ms in (0, 100, 500, 500, 400, 600):
            video.write(picture(0), start + offset_ms * 1_000_000)
    times = read(path)[1]
    np.testing.assert_allclose(times, [0, 0.1, 0.5, 0.5, 0.5, 0.6], atol=1e-4)
    assert np.all(np.diff(times) > 0)


def test_what_was_written_survives_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"

    def interrupted() -> None:
        with VideoWriter(path, fps=10) as video:
            video.write(picture(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read(path)[0]) == 1


def test_nothing_written_makes_no_file_and_close_may_be_repeated(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mp4", fps=10)
    video.close()
    video.close()
    assert not list(tmp_path.iterdir())


def test_bad_calls_say_what_fixes_them(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="mkdir -p"):
        VideoWriter(tmp_path / "none" / "a.mp4", fps=10)
    with pytest.raises(VideoError, match="fps is 0"):
        VideoWriter(tmp_path / "a.mp4", fps=0)
    with VideoWriter(tmp_path / "a.mp4", fps=10) as video:
        video.write(picture(0))
        with pytest.raises(VideoError, match="32x48 px, expected 64x48"):
            video.write(picture(0, 32, 48))
        with pytest.raises(VideoError, match=r"float32\[48, 64, 3\]"):
            video.write(picture(0).astype(np.float32))


def test_missing_pyav_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(VideoError, match="fix: pip install av"):
        VideoWriter(tmp_path / "a.mp4", fps=10)

import stat
from pathlib import Path

import pytest

from hybrid_seg_ros.bundle import Bundle, BundleError, Golden, load_bundle, write_bundle
from hybrid_seg_ros.bundle.__main__ import main


def rewrite(
    bundle: Bundle, path: Path, *, golden: Golden | None = None, overwrite: bool = False, **files: bytes
) -> Bundle:
    manifest = bundle.manifest
    return write_bundle(
        path,
        name=manifest.name,
        files={"model.onnx": bundle.file("model.onnx"), **files},
        golden=golden or bundle.golden(),
        network_input=manifest.input,
        network_outputs=manifest.outputs,
        classes=manifest.classes,
        score=manifest.score,
        training=manifest.training,
        overwrite=overwrite,
    )


def test_copies_files_and_keeps_every_field(tiny_bundle: Bundle, tmp_path: Path) -> None:
    again = rewrite(tiny_bundle, tmp_path / "deep" / "copy")
    assert again.file("model.onnx").read_bytes() == tiny_bundle.file("model.onnx").read_bytes()
    kept = ("input", "outputs", "classes", "score", "training")
    assert all(getattr(again.manifest, part) == getattr(tiny_bundle.manifest, part) for part in kept)
    assert stat.S_IMODE((tmp_path / "deep" / "copy").stat().st_mode) == 0o755


def test_an_existing_bundle_is_replaced_only_on_demand(bundle_copy: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected no such directory yet"):
        rewrite(bundle_copy, bundle_copy.path)
    target = rewrite(bundle_copy, tmp_path / "other").path
    assert "x.txt" in rewrite(bundle_copy, target, overwrite=True, **{"x.txt": b"x"}).manifest.files


def test_nothing_is_left_behind_when_it_fails(tiny_bundle: Bundle, tmp_path: Path) -> None:
    golden = tiny_bundle.golden()
    with pytest.raises(BundleError, match="image"):
        rewrite(tiny_bundle, tmp_path / "bad", golden=Golden(golden.image[..., 0], golden.logits, golden.posterior))
    with pytest.raises(BundleError, match="plain file names"):
        rewrite(tiny_bundle, tmp_path / "bad", **{"../x": b""})
    assert list(tmp_path.iterdir()) == []


def test_seal_command(bundle_copy: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle_copy.path / "MODEL_CARD.md").write_text("changed")
    assert main(["seal", str(bundle_copy.path)]) == 0
    assert "all hashes verified" in capsys.readouterr().out
    load_bundle(bundle_copy.path)
    assert main(["seal", str(bundle_copy.path / "nothing")]) == 1
    assert "expected a bundle directory" in capsys.readouterr().err

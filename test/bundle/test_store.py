from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hybrid_seg_ros.bundle import Bundle, BundleError, load_bundle, seal_bundle


def edit(bundle: Bundle, change: Callable[[dict[str, Any]], Any]) -> Path:
    file = bundle.path / "manifest.yaml"
    raw = yaml.safe_load(file.read_text())
    change(raw)
    file.write_text(yaml.safe_dump(raw))
    return file


def test_loads_what_was_written(tiny_bundle: Bundle) -> None:
    again = load_bundle(tiny_bundle.path)
    assert again.manifest == tiny_bundle.manifest
    assert [known.id for known in again.classes] == list(range(11))
    assert again.file("model.onnx").is_file()


def test_every_error_names_file_expectation_finding_and_fix(bundle_copy: Bundle) -> None:
    card = bundle_copy.path / "MODEL_CARD.md"
    card.write_text("changed")
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy.path)
    error = caught.value
    assert error.file == card
    assert error.expected == f"SHA-256 {bundle_copy.manifest.files['MODEL_CARD.md']}"
    assert len(error.found) == 64
    assert "hybrid_seg_ros.bundle seal" in error.fix
    for part in (str(error.file), error.expected, error.found, error.fix):
        assert part in str(error)


def test_missing_file(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx: expected a file that the manifest lists, found no such file"):
        load_bundle(bundle_copy.path)


def test_listed_file_is_a_directory(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "MODEL_CARD.md").unlink()
    (bundle_copy.path / "MODEL_CARD.md").mkdir()
    with pytest.raises(BundleError, match="something that is no file"):
        load_bundle(bundle_copy.path)


def test_unlisted_file_is_refused_but_caches_and_hidden_files_are_not(bundle_copy: Bundle) -> None:
    for name in ("a.engine", "a.engine.json", ".directory"):
        (bundle_copy.path / name).write_bytes(b"x")
    load_bundle(bundle_copy.path)
    (bundle_copy.path / "extra.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"found extra\.onnx"):
        load_bundle(bundle_copy.path)


def test_symbolic_links_are_followed_and_verified(bundle_copy: Bundle, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for file in bundle_copy.path.iterdir():
        (linked / file.name).symlink_to(file)
    assert load_bundle(linked).manifest == bundle_copy.manifest
    (linked / "MODEL_CARD.md").unlink()
    (linked / "MODEL_CARD.md").symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match="SHA-256"):
        load_bundle(linked)


@pytest.mark.parametrize("version", [0, 2, "1", None, True, [1]])
def test_other_schema_version_is_said_alone(bundle_copy: Bundle, version: object) -> None:
    edit(bundle_copy, lambda raw: raw.update(schema_version=version, unknown_key=1))
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy.path)
    assert caught.value.expected == "schema_version: 1"
    assert "unknown_key" not in str(caught.value)
    assert ("update this package" in caught.value.fix) == (version == 2)


def test_no_schema_version(bundle_copy: Bundle) -> None:
    edit(bundle_copy, lambda raw: raw.pop("schema_version"))
    with pytest.raises(BundleError, match="expected schema_version: 1, found none"):
        load_bundle(bundle_copy.path)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda raw: raw.update(surprise=1), "surprise"),
        (lambda raw: raw.pop("score"), "score"),
        (lambda raw: raw["input"].update(width=100), "input.width is 100"),
        (lambda raw: raw["input"].update(resize="crop"), "input.resize"),
        (lambda raw: raw["outputs"].update(align_corners=True), "outputs.align_corners"),
        (lambda raw: raw["classes"][3].update(id=7), "ids are"),
        (lambda raw: raw["score"].update(default="none"), "score.default is 'none'"),
        (lambda raw: raw["score"]["operating_points"]["tpr95"].update(threshold=float("nan")), "threshold"),
        (lambda raw: raw["files"].update({"model.onnx": "short"}), "files.model.onnx"),
        (lambda raw: raw["files"].pop("golden.npz"), "golden.npz is missing"),
    ],
)
def test_wrong_field_is_named(bundle_copy: Bundle, change: Callable[[dict[str, Any]], Any], field: str) -> None:
    edit(bundle_copy, change)
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy.path)
    assert field in caught.value.found


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", "a\\b"])
def test_path_traversal_is_refused_before_anything_is_read(bundle_copy: Bundle, name: str) -> None:
    edit(bundle_copy, lambda raw: raw["files"].update({name: "0" * 64}))
    with pytest.raises(BundleError, match="is not a plain file name"):
        load_bundle(bundle_copy.path)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"", "expected a mapping, found NoneType"),
        (b"- 1\n- 2\n", "expected a mapping, found list"),
        (b"a: [1\n", "plain YAML"),
        (b"a: 1\na: 2\n", "'a' appears twice"),
        (b"a: &x 1\nb: *x\n", "aliases are not allowed"),
        (b"a: !!python/object/apply:os.system ['true']\n", "plain YAML"),
        (b"\xff\xfe\x00", "plain YAML"),
        (b"? [1, 2]\n: 3\n", "no plain value"),
        (b"[" * 5000, "plain YAML"),
        (b"a: " + b"x" * (1 << 20), "at most 1048576 bytes"),
    ],
    ids=["empty", "list", "syntax", "twice", "alias", "python-tag", "binary", "list-key", "nested", "huge"],
)
def test_manifest_that_is_no_manifest(bundle_copy: Bundle, text: bytes, part: str) -> None:
    (bundle_copy.path / "manifest.yaml").write_bytes(text)
    with pytest.raises(BundleError, match=part):
        load_bundle(bundle_copy.path)


def test_no_bundle_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="found no such directory"):
        load_bundle(tmp_path / "nothing")
    with pytest.raises(BundleError, match="found a directory without one"):
        load_bundle(tmp_path)


def test_file_that_is_not_listed_cannot_be_asked_for(tiny_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"expected 'model\.fp16\.onnx' under files"):
        tiny_bundle.file("model.fp16.onnx")


def test_seal_accepts_changed_new_and_gone_files(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "MODEL_CARD.md").unlink()
    (bundle_copy.path / "notes.txt").write_text("new")
    sealed = seal_bundle(bundle_copy.path)
    assert set(sealed.manifest.files) == {"model.onnx", "golden.npz", "notes.txt"}
    assert load_bundle(bundle_copy.path).manifest == sealed.manifest


def test_seal_needs_the_model(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx is missing"):
        seal_bundle(bundle_copy.path)

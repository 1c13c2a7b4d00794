import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_seg_ros.bundle import Bundle, BundleError, available_bundles, find, find_bundle


@pytest.fixture
def engines(bundle_copy: Bundle, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of `bundle_copy` as the only engines directory."""
    place = bundle_copy.path.parent
    monkeypatch.setattr(find, "bundle_directories", lambda: [place])
    return place


def test_by_path_manifest_and_name(engines: Path) -> None:
    bundle = engines / "tiny"
    assert find_bundle(bundle) == bundle
    assert find_bundle(str(bundle / "manifest.yaml")) == bundle
    assert find_bundle("tiny") == bundle
    assert available_bundles() == {"tiny": bundle}


@pytest.mark.parametrize("name", ["nothing", "../tiny", "", ".", "a/tiny"])
def test_unknown_says_where_it_looked_and_what_there_is(engines: Path, name: str) -> None:
    with pytest.raises(BundleError) as caught:
        find_bundle(name)
    assert caught.value.fix == "give one of tiny"
    assert (str(engines) in caught.value.found) == (name == "nothing")


def test_the_source_tree_is_searched_without_any_ros_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AMENT_PREFIX_PATH"}
    code = "from hybrid_seg_ros.bundle.find import bundle_directories; print(*bundle_directories(), sep='\\n')"
    listed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    package = Path(find.__file__).parents[1]
    assert str(package.parent / "engines") == listed.stdout.splitlines()[0]


def test_a_sourced_workspace_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ament_index_python")
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "hybrid_seg_ros"
    marker.parent.mkdir(parents=True)
    marker.touch()
    (tmp_path / "share" / "hybrid_seg_ros").mkdir()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert find.bundle_directories()[0] == tmp_path / "share" / "hybrid_seg_ros" / "engines"

"""From a bundle's name to its directory."""

import sys
from importlib import resources
from pathlib import Path

from hybrid_seg_ros.bundle.errors import BundleError
from hybrid_seg_ros.bundle.store import MANIFEST_NAME

PACKAGE = "hybrid_seg_ros"


def find_bundle(name_or_path: Path | str) -> Path:
    """The directory of a bundle given by path or by name.

    A path to a bundle directory, or to the manifest in it, is taken as it is. A plain name is looked for in
    the share directory of the ROS install, the source tree's engines/, the package itself, and the share
    directory of the Python install, in this order.

    Raises:
        BundleError: nothing there; says where it looked and which bundles it saw.
    """
    given = Path(name_or_path).expanduser()
    if given.name == MANIFEST_NAME and given.is_file():
        return given.parent
    if (given / MANIFEST_NAME).is_file():
        return given
    is_name = str(name_or_path) == given.name and given.name not in {"", ".", ".."}
    places = bundle_directories() if is_name else []
    for place in places:
        if (place / given / MANIFEST_NAME).is_file():
            return place / given
    seen = available_bundles()
    known = f"one of {', '.join(sorted(seen))}" if seen else "the path of a bundle directory"
    raise BundleError(
        str(name_or_path),
        expected="a bundle: a directory with manifest.yaml" + (", here or in an engines directory" if is_name else ""),
        found="none" + "".join(f"; looked in {place}" for place in places),
        fix=f"give {known}",
    )


def available_bundles() -> dict[str, Path]:
    """Name -> directory of every bundle that can be given by name; the first place wins."""
    found: dict[str, Path] = {}
    for place in bundle_directories():
        if place.is_dir():
            for entry in sorted(place.iterdir()):
                if (entry / MANIFEST_NAME).is_file():
                    found.setdefault(entry.name, entry)
    return found


def bundle_directories() -> list[Path]:
    """Where bundles given by name are looked for, in order."""
    package = Path(str(resources.files(PACKAGE)))
    places = [
        package.parent / "engines",
        package / "engines",
        Path(sys.prefix) / "share" / PACKAGE / "engines",
    ]
    share = _ament_share()
    return [share / "engines", *places] if share is not None else places


def _ament_share() -> Path | None:
    """The package's share directory in a sourced ROS workspace, or None outside of one."""
    try:
        from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
    except ImportError:
        return None
    try:
        return Path(get_package_share_directory(PACKAGE))
    except (PackageNotFoundError, OSError):
        # OSError: the pip wheels of ROS bring the module but set no AMENT_PREFIX_PATH.
        return None

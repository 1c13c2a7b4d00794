"""A copy of a bundle that differs in its operating points or in the scenes it is known to know."""

import re
import shutil
from pathlib import Path

from hybrid_seg_ros.bundle.errors import BundleError
from hybrid_seg_ros.bundle.manifest import DomainStatistics, OperatingPoint
from hybrid_seg_ros.bundle.store import MANIFEST_NAME, Bundle, load_bundle, parse_manifest
from hybrid_seg_ros.bundle.write import staged, write_manifest

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def copy_bundle(
    bundle: Bundle,
    path: Path | str,
    *,
    points: dict[str, OperatingPoint],
    default: str | None = None,
    domain: DomainStatistics | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Copy the files as they are, golden test included, with more operating points; verified before it appears.

    The copy is named by its directory, if that makes a bundle's name.

    Args:
        bundle: what is copied.
        path: the directory to make.
        points: name -> operating point; one of a name that is there already replaces it.
        default: name of the point used unless told otherwise; None = as before.
        domain: scores of known scenes; None = as before.
        overwrite: replace an existing directory.

    Raises:
        BundleError: the directory is there already or is the bundle itself, or what was given makes no valid bundle.
    """
    target = Path(path)
    if target.resolve() == bundle.path.resolve():
        raise BundleError(
            target, expected="another directory than the bundle's own", found="the same", fix="give another path"
        )
    raw = bundle.manifest.model_dump(mode="json")
    if _NAME.fullmatch(target.name):
        raw["name"] = target.name
    raw["score"]["operating_points"] |= {name: point.model_dump(mode="json") for name, point in points.items()}
    raw["score"]["default"] = default or bundle.manifest.score.default
    if domain is not None:
        raw["domain"] = domain.model_dump(mode="json")
    if raw["quantization"] is not None:
        # What was measured at a threshold that is another one now says nothing any more.
        for accuracy in (raw["quantization"]["before"], *raw["quantization"]["after"].values()):
            for name in points:
                accuracy["operating_points"].pop(name, None)
    manifest = parse_manifest(raw, target / MANIFEST_NAME)
    with staged(target, overwrite=overwrite) as staging:
        for name in manifest.files:
            shutil.copyfile(bundle.file(name), staging / name)
        write_manifest(staging, manifest)
        load_bundle(staging).golden()
    return load_bundle(target)

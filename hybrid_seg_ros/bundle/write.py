"""Making a bundle: files and description in, a verified directory out."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from hybrid_seg_ros.bundle.errors import BundleError
from hybrid_seg_ros.bundle.golden import Golden, write_golden
from hybrid_seg_ros.bundle.manifest import (
    SCHEMA_VERSION,
    ClassInfo,
    DomainStatistics,
    Manifest,
    NetworkInput,
    NetworkOutputs,
    Provenance,
    Quantization,
    Score,
)
from hybrid_seg_ros.bundle.store import (
    MANIFEST_NAME,
    Bundle,
    load_bundle,
    parse_manifest,
    read_manifest,
    sha256,
    unlisted_files,
)


def write_bundle(
    path: Path | str,
    *,
    name: str,
    files: Mapping[str, bytes | Path],
    golden: Golden,
    network_input: NetworkInput,
    network_outputs: NetworkOutputs,
    classes: Sequence[ClassInfo],
    score: Score,
    training: Provenance,
    description: str = "",
    quantization: Quantization | None = None,
    domain: DomainStatistics | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Write a bundle directory, with the hashes of everything in it, and load it back.

    The directory appears whole or not at all: it is made beside its place and renamed.

    Args:
        path: the directory to make.
        name: the bundle's name in the manifest.
        files: file name -> content, or the path it is copied from; `model.onnx` at least.
        golden: the parity test; becomes golden.npz.
        network_input: see `Manifest`; so are the next five.
        network_outputs: the raw outputs of the network.
        classes: the known classes, in channel order.
        score: score kind and operating points.
        training: where the weights come from.
        description: one line for people.
        quantization: what the 8-bit files among `files` cost.
        domain: scores of known scenes.
        overwrite: replace an existing directory.

    Raises:
        BundleError: the directory is there already, or what was given makes no valid bundle.
    """
    target = Path(path)
    with staged(target, overwrite=overwrite) as staging:
        for file_name, content in files.items():
            if Path(file_name).name != file_name:
                raise BundleError(target, expected="plain file names", found=repr(file_name), fix="rename it")
            if isinstance(content, Path):
                shutil.copyfile(content, staging / file_name)
            else:
                (staging / file_name).write_bytes(content)
        write_golden(staging / "golden.npz", golden)
        raw = {
            "schema_version": SCHEMA_VERSION,
            "name": name,
            "description": description,
            "files": _hashes(staging, [*files, "golden.npz"]),
            "input": network_input.model_dump(mode="json"),
            "outputs": network_outputs.model_dump(mode="json"),
            "classes": [known.model_dump(mode="json") for known in classes],
            "score": score.model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "quantization": None if quantization is None else quantization.model_dump(mode="json"),
            "domain": None if domain is None else domain.model_dump(mode="json"),
        }
        write_manifest(staging, parse_manifest(raw, target / MANIFEST_NAME))
        load_bundle(staging).golden()
    return load_bundle(target)


@contextmanager
def staged(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """A directory beside the target that takes its place where all went well, and is gone where not.

    Raises:
        BundleError: the target is there already, and `overwrite` is not set.
    """
    if target.exists() and not overwrite:
        raise BundleError(target, expected="no such directory yet", found="one", fix=f"rm -r {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield staging
        staging.chmod(0o755)  # mkdtemp makes it private
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def seal_bundle(path: Path | str) -> Bundle:
    """Write the hashes of the files as they are now into the manifest, and load the bundle.

    For a bundle whose files were changed on purpose: lists new files, drops those that are gone.

    Raises:
        BundleError: the manifest is wrong in more than its hashes.
    """
    root = Path(path)
    raw = read_manifest(root)
    manifest = parse_manifest(raw, root / MANIFEST_NAME)
    present = [name for name in manifest.files if (root / name).is_file()]
    raw["files"] = _hashes(root, [*present, *unlisted_files(root, manifest)])
    write_manifest(root, parse_manifest(raw, root / MANIFEST_NAME))
    return load_bundle(root)


def _hashes(root: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: sha256(root / name) for name in sorted(set(names)) if (root / name).is_file()}


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Write manifest.yaml; the file is there whole or as it was."""
    # Without a word of optional sections that are not there, versions that do not know them can read it, too.
    plain: dict[str, Any] = manifest.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)
    partial = root / f".{MANIFEST_NAME}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(root / MANIFEST_NAME)

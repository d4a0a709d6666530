"""Fetch files from the Hugging Face hub at one commit; check them, and resume after a kill."""

import json
import logging
import re
import shutil
from pathlib import Path
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
from nearfirst.common.files import explain_full_disk, partial_folder, sha256
from nearfirst.common.hub import HubSettings
from nearfirst.data.remote_files import matching

_NETWORK = (HfHubHTTPError, HFValidationError, httpx2.RequestError, OfflineModeIsEnabled)


def fetch(settings: HubSettings, output: Path, key: str) -> None:
    """Make `output` the folder of a repository's files at one commit, completely or not at all.

    Incomplete files are in a folder with `.partial` added to its name. It survives a kill or
    failure, and the next call resumes it, even within a file. Files of an earlier fetch in `output`
    are checked, and only those that differ are fetched. `fetched.json` in the folder records the
    repository, the commit, and each file's SHA-256 and size in bytes. `HF_ENDPOINT`, `HF_TOKEN` and
    `HF_HUB_OFFLINE` work as usual. `key` is the section of the config (`data.flan`), for messages.

    Raises InputError if the hub is unreachable, refuses access, or has no such repository, commit
    or file; if a file's checksum differs from that of the hub or `settings`, or the file would be
    written outside the folder; or if the disk is full.
    """
    repository = _Repository(settings, key)
    partial = partial_folder(output)
    kept = f"what was fetched so far stays in {partial}"
    try:
        with explain_full_disk(output, kept):
            commit, files = repository.list_files()
            if output.is_dir() and not partial.exists():
                output.replace(partial)
            # Files of other patterns or another commit, perhaps incomplete.
            for path in [path for path in partial.rglob("*") if path.is_file()]:
                if path.relative_to(partial).as_posix() not in files:
                    path.unlink()
            fetched = {
                name: repository.fetch(file, commit, partial) for name, file in files.items()
            }
            source = {"repository": settings.repository, "kind": settings.kind, "commit": commit}
            record = json.dumps({**source, "files": fetched}, indent=1)
            (partial / "fetched.json").write_text(f"{record}\n")
            shutil.rmtree(output, ignore_errors=True)
            partial.replace(output)
    except (*_NETWORK, json.JSONDecodeError) as error:
        raise InputError(repository.explain(error, kept)) from error


class _Bar(tqdm):  # type: ignore[type-arg]
    def __init__(self, **options: Any) -> None:
        super().__init__(mininterval=5, **options)


class _Repository:
    """A repository of the hub, and the messages for what can go wrong with it."""

    def __init__(self, settings: HubSettings, key: str) -> None:
        self.settings, self.name, self.key = settings, settings.repository, key
        is_model = settings.kind == "model"
        self.path_key = f"{key}.name" if is_model else f"{key}.path"
        self.hub_key = key if is_model else f"{key}.hub"
        if not self.name:
            raise InputError(
                f"{self.path_key} is not set, and the config names no repository of the hub: "
                "docs/data.md says where the files are"
            )
        self.api = HfApi()
        # Logs contain addresses, and headers that cannot be sent.
        if re.search("//[^/]*@", self.api.endpoint):
            raise InputError(
                "HF_ENDPOINT: it contains a user or password, which would appear in logs; remove "
                "them, and set HF_TOKEN to a token"
            )
        if not re.fullmatch("[!-~]*", get_token() or ""):
            raise InputError("HF_TOKEN: it contains a character that no token has; set it again")

    def list_files(self) -> tuple[str, dict[str, RepoFile]]:
        """Return the commit, and its files that match a pattern, sorted by name."""
        settings, kind = self.settings, self.settings.kind
        # Listing the files would wait for a dead network much longer.
        info = self.api.repo_info(self.name, repo_type=kind, revision=settings.revision, timeout=10)
        commit = str(info.sha)
        if settings.revision is None:
            logging.warning(
                "%s.revision is null: this is commit %s; set it to keep the files the same",
                *(self.hub_key, commit),
            )
        tree = self.api.list_repo_tree(self.name, repo_type=kind, revision=commit, recursive=True)
        files = {file.path: file for file in tree if isinstance(file, RepoFile)}
        owner = f"{self.name} at {commit}"
        chosen = matching(files, settings.files, owner, f"{self.hub_key}.files")
        for name in settings.sha256.keys() - set(chosen):
            raise InputError(f"{self.hub_key}.sha256: {name!r} is none of the files to fetch")
        size = sum(files[name].size for name in chosen) / 1e6
        logging.info("%s: %d files, %.1f MB", owner, len(chosen), size)
        return commit, {name: files[name] for name in chosen}

    def fetch(self, file: RepoFile, commit: str, folder: Path) -> dict[str, Any]:
        """Fetch one file, or the rest of it, and return its checksum and size."""
        expected = self.settings.sha256.get(file.path)
        listed = file.lfs.sha256 if file.lfs else None
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            resumed_at = self._resume(file, commit, path)
            actual, required = sha256(path), expected or listed
            if required and actual != required:
                fault = f"its SHA-256 is {actual}, not {required}"
            # The hub identifies small files only by their Git object.
            elif not file.lfs and git_hash(path.read_bytes()) != file.blob_id:
                fault = f"its Git object is not {file.blob_id}"
            else:
                return {"sha256": actual, "bytes": file.size}
            path.unlink()
            if resumed_at == 0:
                raise InputError(
                    f"{file.path} of {self.name} at {commit}: {fault}; it is not kept, run again; "
                    f"if that does not help, {self.hub_key}.sha256 is wrong or a proxy alters the "
                    f"file: place the right files in a folder and set {self.path_key} to it"
                )
            # The earlier part was damaged or of another commit.
            logging.warning("%s: %s; fetching all of it again", file.path, fault)

    def _resume(self, file: RepoFile, commit: str, path: Path) -> int:
        """Fetch the missing rest of a file; return the number of bytes that it had."""
        with path.open("ab") as target:
            size = target.tell()
            if size < file.size:
                # `hf_hub_download` starts over after a kill; this part of it can resume.
                http_get(
                    hf_hub_url(self.name, file.path, repo_type=self.settings.kind, revision=commit),
                    target,
                    resume_size=size,
                    # A partial compressed body could not be resumed.
                    headers={**build_hf_headers(), "Accept-Encoding": "identity"},
                    displayed_filename=file.path,
                    tqdm_class=_Bar,
                )
        return size

    def explain(self, error: Exception, kept: str) -> str:
        """Return one line about an error of the hub or the network, and what to do."""
        endpoint, kind = self.api.endpoint, self.settings.kind
        page, revision = f"{endpoint}/{self.settings.page}", self.settings.revision or "main"
        status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
        allow = "set HF_TOKEN to a token that may read it"
        if isinstance(error, RevisionNotFoundError):
            fault = f"no commit {revision} ({self.hub_key}.revision); see {page}/commits/main"
        elif isinstance(error, GatedRepoError) or status == 403:
            fault = f"access is refused; accept the licence at {page} and {allow}"
        elif isinstance(error, RepositoryNotFoundError | HFValidationError) or status == 401:
            fault = f"no such {kind} repository, or a private one; check {self.key}, or {allow}"
        elif status:
            fault = f"{endpoint} answers {status}"
        elif isinstance(error, json.JSONDecodeError):
            fault = (
                f"{endpoint} does not answer as the hub does; check HF_ENDPOINT, and whether a "
                "proxy requires a login"
            )
        else:
            offline = isinstance(error, OfflineModeIsEnabled)
            reason = "HF_HUB_OFFLINE is set" if offline else str(error) or type(error).__name__
            fault = f"{endpoint} cannot be reached ({reason}); run this on a host with a network"
        return (
            f"{page}: {fault}; {kept}: run again, or place {', '.join(self.settings.files)} of "
            f"{page}/tree/{revision} in a folder and set {self.path_key} to it"
        )

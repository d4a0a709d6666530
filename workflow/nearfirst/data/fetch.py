"""Files of the Hugging Face hub: of one commit, checked, and resumed after a kill."""

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
from nearfirst.common.files import explain_full_disk, sha256
from nearfirst.common.hub import HubSettings
from nearfirst.data.remote_files import leaves_folder, matching

_NETWORK = (HfHubHTTPError, HFValidationError, httpx2.RequestError, OfflineModeIsEnabled)


def fetch(settings: HubSettings, output: Path, key: str) -> None:
    """Make `output` the folder of a repository's files at one commit, whole or not at all.

    Until it is whole it is `output` with `.partial` added. That folder survives a kill or a
    failure, and the next call goes on in it, inside a file too. What an earlier fetch left in
    `output` is checked, and fetched only where it differs. `fetched.json` in the folder names the
    repository, the commit, and each file's SHA-256 and bytes. `HF_ENDPOINT`, `HF_TOKEN` and
    `HF_HUB_OFFLINE` count as everywhere. `key` is the section of the config that asks for it
    (`data.flan`), for error messages.

    Raises InputError if the hub cannot be reached, refuses, or has no such repository, commit or
    file; if a file has another checksum than the hub or `settings` says, or would lie outside of
    the folder; if the disk is full.
    """
    repository = _Repository(settings, key)
    work = output.with_name(f"{output.name}.partial")
    kept = f"what was fetched so far stays in {work}"
    try:
        with explain_full_disk(output, kept):
            commit, files = repository.files()
            if output.is_dir() and not work.exists():
                output.replace(work)
            # What other patterns or another commit left, perhaps in part.
            for path in [path for path in work.rglob("*") if path.is_file()]:
                if path.relative_to(work).as_posix() not in files:
                    path.unlink()
            record = {name: repository.fetch(file, commit, work) for name, file in files.items()}
            content = {"repository": settings.repository, "kind": settings.kind, "commit": commit}
            text = json.dumps({**content, "files": record}, indent=1)
            (work / "fetched.json").write_text(f"{text}\n")
            shutil.rmtree(output, ignore_errors=True)
            work.replace(output)
    except (*_NETWORK, json.JSONDecodeError) as error:
        raise InputError(repository.explain(error, kept)) from error


class _Bar(tqdm):  # type: ignore[type-arg]
    def __init__(self, **given: Any) -> None:
        super().__init__(mininterval=5, **given)


class _Repository:
    """A repository of the hub, and the words for what goes wrong with it."""

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
        # Logs hold addresses, and a header that cannot be sent.
        if re.search("//[^/]*@", self.api.endpoint):
            raise InputError(
                "HF_ENDPOINT: it holds a user or a password, which would stand in logs; take them "
                "out, and set HF_TOKEN to a token"
            )
        if not re.fullmatch("[!-~]*", get_token() or ""):
            raise InputError("HF_TOKEN: it holds a character that no token has; set it again")

    def files(self) -> tuple[str, dict[str, RepoFile]]:
        """Return the commit, and its files that match a pattern by name, sorted."""
        given, kind = self.settings, self.settings.kind
        # Listing would wait for a dead network much longer.
        info = self.api.repo_info(self.name, repo_type=kind, revision=given.revision, timeout=10)
        commit = str(info.sha)
        if given.revision is None:
            logging.warning(
                "%s.revision is null: this is commit %s; set it, and the files stay the same",
                *(self.hub_key, commit),
            )
        tree = self.api.list_repo_tree(self.name, repo_type=kind, revision=commit, recursive=True)
        every = {file.path: file for file in tree if isinstance(file, RepoFile)}
        owner = f"{self.name} at {commit}"
        chosen = matching(every, given.files, owner, f"{self.hub_key}.files")
        for name in given.sha256.keys() - set(chosen):
            raise InputError(f"{self.hub_key}.sha256: {name!r} is none of the files to fetch")
        for name in chosen:
            if leaves_folder(name):
                raise InputError(
                    f"{self.name} at {commit} lists a file {name!r}, which would lie outside of "
                    "the folder: nothing is fetched; check HF_ENDPOINT, or choose other files in "
                    f"{self.hub_key}.files"
                )
        size = sum(every[name].size for name in chosen) / 1e6
        logging.info("%s at %s: %d files, %.1f MB", self.name, commit, len(chosen), size)
        return commit, {name: every[name] for name in chosen}

    def fetch(self, file: RepoFile, commit: str, folder: Path) -> dict[str, Any]:
        """Fetch one file, or the rest of it, and return its checksum and size."""
        given, listed = self.settings.sha256.get(file.path), file.lfs.sha256 if file.lfs else None
        if given and listed and given != listed:
            raise InputError(
                f"{self.hub_key}.sha256: {file.path} has {given} there, but the hub says {listed} "
                f"at {commit}; one of commit and sum is wrong"
            )
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            had = self._resume(file, commit, path)
            found, expected = sha256(path), given or listed
            if expected and found != expected:
                by = f"{self.hub_key}.sha256" if given else "the hub"
                fault = f"its SHA-256 is {found}, but {by} says {expected}"
            elif file.lfs is None and (blob := git_hash(path.read_bytes())) != file.blob_id:
                # The hub knows small files only by their git object.
                fault = f"its git object is {blob}, but the hub says {file.blob_id}"
            else:
                return {"sha256": found, "bytes": file.size}
            path.unlink()
            if had == 0:
                raise InputError(
                    f"{file.path} of {self.name} at {commit}: {fault}; it is not kept, run again; "
                    "if that does not help, a proxy or mirror alters it or that sum is wrong: "
                    f"place the right files in a folder and set {self.path_key} to that"
                )
            # What lay there was of another commit, or damaged.
            logging.warning("%s: %s; fetching all of it again", file.path, fault)

    def _resume(self, file: RepoFile, commit: str, path: Path) -> int:
        """Fetch what a file still lacks, and return how many bytes it had."""
        kind = self.settings.kind
        with path.open("ab") as target:
            had = target.tell()
            if had < file.size:
                # `hf_hub_download` begins each file anew after a kill; this part of it can go on.
                http_get(
                    hf_hub_url(self.name, file.path, repo_type=kind, revision=commit),
                    target,
                    resume_size=had,
                    # A part of a compressed body could not be continued.
                    headers={**build_hf_headers(), "Accept-Encoding": "identity"},
                    displayed_filename=file.path,
                    tqdm_class=_Bar,
                )
        return had

    def explain(self, error: Exception, kept: str) -> str:
        """Return one line about what the hub or the network raised, and what to do."""
        name, endpoint, revision = self.name, self.api.endpoint, self.settings.revision
        page = f"{endpoint}/{self.settings.page}"
        local = (
            f"place {', '.join(self.settings.files)} of {page}/tree/{revision or 'main'} in a "
            f"folder and set {self.path_key} to that"
        )
        allow = "set HF_TOKEN to a token that may read it"
        refused = f"accept the licence at {page}, {allow} and run again; or {local}"
        if isinstance(error, GatedRepoError):
            return f"{name} is gated: {refused}"
        if isinstance(error, RepositoryNotFoundError | HFValidationError):
            return (
                f"{page}: no such {self.settings.kind} repository, or a private one; check "
                f"{self.key} in the config, or {allow}; or {local}"
            )
        if isinstance(error, RevisionNotFoundError):
            return (
                f"{self.hub_key}.revision: {name} has no commit {revision}; {page}/commits/main "
                "lists them"
            )
        if isinstance(error, HfHubHTTPError):
            status = error.response.status_code
            if status in (401, 403):
                return f"{name}: access is refused ({status}): {refused}"
            return f"{name}: {endpoint} answers {status}; {kept}, run again"
        if isinstance(error, json.JSONDecodeError):
            return (
                f"{name}: {endpoint} does not answer as the hub does; check HF_ENDPOINT, and "
                f"whether a proxy wants a log-in; {kept}, run again; or {local}"
            )
        offline = isinstance(error, OfflineModeIsEnabled)
        reason = "HF_HUB_OFFLINE is set" if offline else str(error) or type(error).__name__
        return (
            f"{name}: {endpoint} cannot be reached ({reason}); {kept}: run this on a host with a "
            f"network, or {local}"
        )

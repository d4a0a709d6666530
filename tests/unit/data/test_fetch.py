"""Fetching from the hub, with the real client against a local server, which may be hostile."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import copy_project
from files import contents
from hub_server import Hub, blob, serving, sha256
from warm import folder_of_python

from nearfirst.common.errors import InputError
from nearfirst.common.hub import HubSettings

REPOSITORY = Path(__file__).parents[3]
LICENCE = b"Do what you like.\n"
TABLE = np.random.default_rng(0).bytes(5000)
NESTED = np.random.default_rng(1).bytes(3000)
FILES = {"LICENCE": LICENCE, "data/train.parquet": TABLE, "data/a b/x.parquet": NESTED}
# The client writes 10 MiB at a time.
CHUNK = 10 * 1024 * 1024
LONG = np.random.default_rng(2).bytes(2 * CHUNK + 12345)
SECRET = sha256(b"a token")[:16]  # appears in no source file
TOKEN = f"hf_{SECRET}token"
WITH_PASSWORD = f"http://me:{SECRET}@127.0.0.1:9"

Fetch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub("datasets/someone/talks", dict(FILES))) as started:
        yield started


def command(folder: Path, settings: dict[str, Any], key: str = "data.talks") -> list[str]:
    flags = f"--key {key} --output {folder}/talks --log {folder}/log --settings"
    program = REPOSITORY / "workflow/scripts/fetch.py"
    return [sys.executable, str(program), *flags.split(), json.dumps(settings)]


def environment(folder: Path, hub: Hub, **variables: str) -> dict[str, str]:
    paths = {"PYTHONPATH": f"{REPOSITORY}/workflow", "HF_HOME": f"{folder}/home"}
    return {"PATH": os.environ["PATH"], "HF_ENDPOINT": hub.url, **paths, **variables}


@pytest.fixture
def fetch(tmp_path: Path, hub: Hub) -> Fetch:
    """Run the program: `fetch(files=[…])`; environment variables are in capitals."""

    def run(
        key: str = "data.talks", before: Callable[[], None] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        variables = {name: options.pop(name) for name in list(options) if name.isupper()}
        settings = {"repository": "someone/talks", "revision": hub.commit, **options}
        # A fork would not inherit what is done `before`.
        python = sys.executable if before else f"{folder_of_python()}/python"
        return subprocess.run(
            [python, *command(tmp_path, settings, key)[1:]],
            env=environment(tmp_path, hub, **variables),
            preexec_fn=before,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def failure(done: subprocess.CompletedProcess[str]) -> str:
    """Return the single line that a fetch prints when it fails."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


# Fetched files ---------------------------------------------------------------------------------


def test_all_files_are_fetched_and_recorded(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    done = fetch()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    result = contents(tmp_path / "talks")
    record = json.loads(result.pop("fetched.json"))
    assert result == FILES
    assert record == {
        "repository": "someone/talks",
        "kind": "dataset",
        "commit": hub.commit,
        "files": {
            path: {"sha256": sha256(bytes_), "bytes": len(bytes_)} for path, bytes_ in FILES.items()
        },
    }
    assert {path.name for path in tmp_path.iterdir()} == {"talks", "log"}


def test_existing_files_are_checked_and_fetched_only_if_different(
    fetch: Fetch, hub: Hub, tmp_path: Path
) -> None:
    assert fetch(revision=None).returncode == 0
    first = contents(tmp_path / "talks")
    log = (tmp_path / "log").read_text()
    assert f"data.talks.hub.revision is null: this is commit {hub.commit}" in log
    assert json.loads(first["fetched.json"])["commit"] == hub.commit
    (tmp_path / "talks/stray.parquet").touch()
    (tmp_path / "talks/data/train.parquet").write_bytes(TABLE[:-1] + b"x")
    hub.requests.clear()
    assert fetch().returncode == 0
    assert contents(tmp_path / "talks") == first
    files = [request.path for request in hub.requests if "/resolve/" in request.path]
    assert files == [f"/{hub.page}/resolve/{hub.commit}/data/train.parquet"]


# Interruptions ---------------------------------------------------------------------------------


def test_a_file_is_resumed_after_a_kill(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    hub.files["data/long.parquet"] = LONG
    hub.cut, hub.stall = CHUNK + 5000, True
    settings = {"repository": "someone/talks", "revision": hub.commit, "files": ["*long*", "LIC*"]}
    running = subprocess.Popen(command(tmp_path, settings), env=environment(tmp_path, hub))
    half = tmp_path / "talks.partial/data/long.parquet"
    deadline = time.monotonic() + 60
    while not (half.exists() and half.stat().st_size == CHUNK) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    hub.stall = False
    assert half.read_bytes() == LONG[:CHUNK]
    hub.requests.clear()
    assert fetch(files=settings["files"]).returncode == 0
    assert [request.range for request in hub.requests_for("/stored/")] == [f"bytes={CHUNK}-"]
    result = contents(tmp_path / "talks")
    assert set(result) == {"LICENCE", "data/long.parquet", "fetched.json"}
    assert result["data/long.parquet"] == LONG
    # The small file was complete, and is not requested again.
    assert hub.requests_for("LICENCE") == []


def test_a_broken_connection_is_resumed(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    hub.files["data/long.parquet"] = LONG
    hub.cut = CHUNK + 5000
    assert fetch(files=["*long*"]).returncode == 0
    assert [request.range for request in hub.requests_for("/stored/")] == [None, f"bytes={CHUNK}-"]
    assert (tmp_path / "talks/data/long.parquet").read_bytes() == LONG


# Faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("data/train.parquet", (sha256(TABLE[::-1]), sha256(TABLE))),
        ("LICENCE", (blob(LICENCE),)),
    ],
)
def test_bytes_that_differ_from_those_the_hub_lists(
    fetch: Fetch, hub: Hub, tmp_path: Path, path: str, named: tuple[str, ...]
) -> None:
    hub.served[path] = FILES[path][::-1]
    line = failure(fetch(files=["LICENCE", "data/train.parquet"]))
    assert all(text in line for text in (path, *named, "run again", "data.talks.path"))
    assert path not in contents(tmp_path / "talks.partial")
    assert not (tmp_path / "talks").exists()
    hub.served.clear()
    assert fetch().returncode == 0


def test_bytes_that_differ_from_those_in_the_config(fetch: Fetch, hub: Hub) -> None:
    line = failure(fetch(sha256={"LICENCE": sha256(b"another")}))
    assert f"its SHA-256 is {sha256(LICENCE)}, not {sha256(b'another')}" in line
    assert "'x' is none of the files" in failure(fetch(sha256={"x": "0" * 64}))
    assert fetch(sha256={path: sha256(bytes_) for path, bytes_ in FILES.items()}).returncode == 0


def test_a_gated_model(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    hub.page, hub.token = "someone/talks", TOKEN
    options = {"key": "model", "kind": "model", "files": ["LICENCE", "data/*"]}
    line = failure(fetch(**options, HF_TOKEN="hf_of_somebody_else"))
    assert f"accept the licence at {hub.url}/someone/talks and set HF_TOKEN" in line
    assert f"place LICENCE, data/* of {hub.url}/someone/talks/tree/{hub.commit}" in line
    assert "set model.name" in line
    assert "hf_of_somebody_else" not in line + (tmp_path / "log").read_text()
    hub.requests.clear()
    done = fetch(**options, HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "talks")["data/train.parquet"] == TABLE
    assert hub.requests_for("/resolve/")[0].token == f"Bearer {TOKEN}"
    # The token is sent only to the hub.
    stored = [(request.token, request.host) for request in hub.requests_for("/stored/")]
    assert stored == [(None, hub.storage.removeprefix("http://"))] * 2
    log = (tmp_path / "log").read_text()
    assert TOKEN not in log + done.stdout + done.stderr
    assert "Signature" not in log


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"repository": "someone/walks"}, "/datasets/someone/walks: no such dataset repository"),
        ({"revision": "f" * 40}, f"no commit {'f' * 40} (data.talks.hub.revision)"),
        ({"files": ["LICENCE", "*.zip"]}, "matches '*.zip'; it has LICENCE, data/a b/x.parquet"),
        ({"HF_HUB_OFFLINE": "1"}, "(HF_HUB_OFFLINE is set); run this on a host with a network"),
    ],
)
def test_missing_things(fetch: Fetch, tmp_path: Path, options: dict[str, Any], named: str) -> None:
    assert named in failure(fetch(**options))
    assert not (tmp_path / "talks").exists()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_failing_hub_and_a_full_disk_keep_partial_files(
    fetch: Fetch, hub: Hub, tmp_path: Path
) -> None:
    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    line = failure(fetch(before=limit_file_size))
    assert f"what was fetched so far stays in {tmp_path}/talks.partial" in line
    assert "free some space" in line
    hub.status = 500
    assert f"{hub.url} answers 500; what was fetched so far stays" in failure(fetch())
    hub.proxy = True
    assert f"{hub.url} does not answer as the hub does" in failure(fetch())
    assert contents(tmp_path / "talks.partial")["LICENCE"] == LICENCE


def test_a_tag_can_move_and_is_refused() -> None:
    with pytest.raises(InputError, match="no commit of 40 hex digits"):
        HubSettings.parse('{"repository": "someone/talks", "revision": "v1.0"}')


# A hostile hub, and secrets ----------------------------------------------------------------------


def assert_no_secret(folder: Path, *texts: str) -> None:
    """Check that the secret is neither in a file nor in the output."""
    assert not any(SECRET in text for text in texts)
    for path in folder.rglob("*"):
        assert SECRET not in path.name
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("name", ["a/../../../evil", "/{folder}/evil"])
def test_a_listed_file_outside_the_folder_is_refused(
    name: str, fetch: Fetch, hub: Hub, tmp_path: Path
) -> None:
    name = name.format(folder=tmp_path)
    hub.files[name] = b"evil"
    line = failure(fetch(files=["*"]))
    assert f"has a file {name!r}, which would be written outside the folder" in line
    assert not hub.requests_for("/resolve/")
    assert [path for path in tmp_path.rglob("*") if "evil" in path.name] == []


@pytest.mark.parametrize(
    ("attributes", "variables", "named"),
    [
        ({"status": 403}, {}, "access is refused"),
        ({}, {"HF_TOKEN": f"hf_\v{SECRET}"}, "HF_TOKEN: it contains a character that no token has"),
        ({}, {"HTTP_PROXY": WITH_PASSWORD}, "cannot be reached"),
        ({}, {"HF_ENDPOINT": WITH_PASSWORD}, "HF_ENDPOINT: it contains a user or"),
    ],
)
def test_no_error_repeats_a_secret(
    attributes: dict[str, Any],
    variables: dict[str, str],
    named: str,
    fetch: Fetch,
    hub: Hub,
    tmp_path: Path,
) -> None:
    for name, value in attributes.items():
        setattr(hub, name, value)
    line = failure(fetch(**{"HF_TOKEN": TOKEN, **variables}))
    assert named in line
    assert_no_secret(tmp_path, line)


def test_snakemake_keeps_no_token(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.page, hub.token = "someone/model", "hf_another"
    for name, value in environment(tmp_path, hub, HF_TOKEN=TOKEN).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    checkout = copy_project(tmp_path / "checkout")
    model = f"model={{name: someone/model, revision: {hub.commit}, files: ['*']}}"
    target = ("results/raw/model/model/fetched.json", "--config", model)
    done = checkout.snakemake(*target, check=False)
    assert "access is refused; accept the licence at" in done.stdout
    assert_no_secret(tmp_path, done.stdout)
    hub.token = TOKEN
    done = checkout.snakemake(*target)
    assert hub.requests_for("/resolve/")[-1].token == f"Bearer {TOKEN}"
    assert_no_secret(tmp_path, done.stdout)


def test_no_program_logs_addresses_which_may_be_signed(tmp_path: Path) -> None:
    # Programs may fetch a model by its id through libraries that log every request.
    lines = [
        "import logging",
        "from nearfirst.common import cli",
        "arguments = cli.parser(None).parse_args(['--log', 'log'])",
        f"ask = 'GET https://hub/x?Signature={SECRET}'",
        "cli.run(lambda _: logging.getLogger('httpx2').info(ask), arguments)",
    ]
    env = {**os.environ, "PYTHONPATH": f"{REPOSITORY}/workflow"}
    subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "log").is_file()
    assert_no_secret(tmp_path)

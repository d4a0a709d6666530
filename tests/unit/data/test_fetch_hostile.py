"""What a hostile hub or mirror may say, and where a token must never stand."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checkout import ROOT, copy_project
from hub_server import Hub, serving, sha256

SECRET = sha256(b"a token")[:16]  # as such it stands in no source
TOKEN = f"hf_{SECRET}token"
Fetch = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {"LICENCE": b"Do what you like.\n", "large.bin": bytes(5000)}
    with serving(Hub("someone/model", files, token=TOKEN)) as started:
        yield started


@pytest.fixture(autouse=True)
def surroundings(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}/workflow")
    for name in ("HF_HUB_OFFLINE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fetch(hub: Hub, tmp_path: Path) -> Fetch:
    """Fetch all files of the model to `my/files/model`."""
    settings = {"repository": "someone/model", "kind": "model", "revision": hub.commit}
    folder = tmp_path / "my/files"
    flags = ["--key", "model", "--output", str(folder / "model"), "--log", str(folder / "log")]
    program = [sys.executable, str(ROOT / "workflow/scripts/fetch.py")]

    def run() -> subprocess.CompletedProcess[str]:
        command = [*program, *flags, "--settings", json.dumps(settings)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return run


def told(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line by which a program says what is wrong."""
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def assert_secret(folder: Path, *texts: str) -> None:
    """Check that the secret is neither in a file nor on the screen."""
    assert not any(SECRET in text for text in texts)
    for path in folder.rglob("*"):
        assert SECRET not in path.name
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("name", ["a/../../../evil", "/{folder}/evil"])
def test_a_listed_file_outside_of_the_folder_is_refused(
    name: str, fetch: Fetch, hub: Hub, tmp_path: Path
) -> None:
    name = name.format(folder=tmp_path)
    hub.files[name] = b"evil"
    line = told(fetch())
    assert f"lists a file {name!r}, which would lie outside of the folder" in line
    assert not hub.asked_for("/resolve/")
    assert [path for path in tmp_path.rglob("*") if "evil" in path.name] == []


def answers_403(hub: Hub, patch: pytest.MonkeyPatch) -> str:
    hub.status = 403
    return "access is refused (403)"


def wants_another_token(hub: Hub, patch: pytest.MonkeyPatch) -> str:
    hub.token = "hf_another"
    return "set HF_TOKEN to a token that may read it"


def token_with_a_stray_character(hub: Hub, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("HF_TOKEN", f"hf_\v{SECRET}")
    return "HF_TOKEN: it holds a character that no token has"


def password_of_a_dead_proxy(hub: Hub, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("HTTP_PROXY", f"http://me:{SECRET}@127.0.0.1:9")
    return "cannot be reached"


def password_of_a_mirror(hub: Hub, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("HF_ENDPOINT", hub.url.replace("//", f"//me:{SECRET}@"))
    return "HF_ENDPOINT: it holds a user or a password"


@pytest.mark.parametrize(
    "fault",
    [
        answers_403,
        wants_another_token,
        token_with_a_stray_character,
        password_of_a_dead_proxy,
        password_of_a_mirror,
    ],
)
def test_no_error_repeats_a_secret(
    fault: Callable[[Hub, pytest.MonkeyPatch], str],
    fetch: Fetch,
    hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = fault(hub, monkeypatch)
    line = told(fetch())
    assert words in line
    assert_secret(tmp_path, line)


def test_snakemake_keeps_no_token(hub: Hub, tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    model = f"model={{name: someone/model, revision: {hub.commit}, files: ['*']}}"
    target = ("results/raw/model/model/fetched.json", "--config", model)
    hub.token = "hf_another"
    done = checkout.snakemake(*target, check=False)
    assert "someone/model is gated" in done.stdout
    assert_secret(tmp_path, done.stdout)
    hub.token = TOKEN
    done = checkout.snakemake(*target)
    assert hub.asked_for("/resolve/")[-1].token == f"Bearer {TOKEN}"
    assert_secret(tmp_path, done.stdout)


def test_no_program_logs_addresses_which_may_be_signed(tmp_path: Path) -> None:
    # One that is given a model's id fetches it through libraries that log all they ask for.
    lines = [
        "import logging",
        "from nearfirst.common import cli",
        "arguments = cli.parser(None).parse_args(['--log', 'log'])",
        f"ask = 'GET https://hub/x?Signature={SECRET}'",
        "cli.run(lambda _: logging.getLogger('httpx2').info(ask), arguments)",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, check=True)
    assert (tmp_path / "log").is_file()
    assert_secret(tmp_path)

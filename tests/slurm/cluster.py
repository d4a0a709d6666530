"""A real SLURM cluster of one node on this machine, and the way to run Snakemake on it.

SLURM reads its configuration from /etc/slurm; all else (keys, sockets, state, logs) lies in a
temporary directory, so that a stale munge key or a missing /run/munge does not matter.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ETC = Path("/etc/slurm")
PROFILE = Path(__file__).parents[2] / "profiles" / "slurm"
MARK = "# written by nearfirst's tests\n"

# The two fake GPUs are of a type, so that both `gpu: 1` and a typed gres can be asked for.
SLURM_CONF = """\
ClusterName=nearfirst
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={run}/munge.socket
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
# Refuse what no node can give, instead of queueing it for ever.
EnforcePartLimits=ALL
MinJobAge=300
KillWait=5
ReturnToService=2
GresTypes=gpu
{hardware} NodeAddr=127.0.0.1 Gres=gpu:fake:2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""
GRES_CONF = "Name=gpu Type=fake File=/dev/null,/dev/zero\n"


def why_not() -> str | None:
    """Say what keeps a cluster from being started here; None if nothing does."""
    missing = [name for name in ("munged", "slurmctld", "slurmd", "srun") if not which(name)]
    if missing:
        return f"SLURM is not installed: no {', '.join(missing)} (apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "only root can start SLURM"
    return None


def which(name: str) -> str | None:
    """Find a program, also where daemons live and users' paths do not lead."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def answers() -> bool:
    """Tell whether a working cluster already runs on this machine."""
    try:
        sinfo = subprocess.run(["sinfo", "--noheader"], capture_output=True, timeout=30)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return sinfo.returncode == 0 and bool(sinfo.stdout.strip())


@contextmanager
def slurm_cluster() -> Iterator[None]:
    """Hold a cluster: the one that already runs, left alone, or a new one, stopped at the end."""
    if answers():
        yield
        return
    with ExitStack() as stack:
        run = Path(tempfile.mkdtemp(prefix="slurm-"))
        stack.callback(shutil.rmtree, run, ignore_errors=True)
        run.chmod(0o755)  # munged refuses a socket that others cannot reach
        configure(stack, run)
        munged = ["munged", f"--key-file={run}/munge.key", f"--socket={run}/munge.socket"]
        munged += [f"--{name}-file={run}/munge.{name}" for name in ("log", "pid", "seed")]
        start(stack, run, [*munged, "--foreground"], (run / "munge.socket").exists)
        start(stack, run, ["slurmctld", "-D"], controller_is_up)
        start(stack, run, ["slurmd", "-D"], node_is_idle)
        stack.callback(cancel_jobs)
        yield


def configure(stack: ExitStack, run: Path) -> None:
    """Write /etc/slurm for a cluster whose files lie in `run`; its old files come back at exit."""
    host = socket.gethostname().split(".")[0]
    (run / "munge.key").write_bytes(os.urandom(128))
    (run / "munge.key").chmod(0o600)
    for name in ("state", "spool"):
        (run / name).mkdir()
    # `slurmd -C` prints the NodeName line of this machine: a node that claims more is drained.
    slurmd = [str(which("slurmd")), "-C"]
    hardware = subprocess.run(slurmd, capture_output=True, text=True, check=True).stdout
    node = " ".join(word for word in hardware.splitlines()[0].split() if "Gres=" not in word)
    ETC.mkdir(exist_ok=True)
    replace(stack, ETC / "slurm.conf", SLURM_CONF.format(host=host, run=run, hardware=node))
    replace(stack, ETC / "gres.conf", GRES_CONF)
    replace(stack, ETC / "cgroup.conf", "")  # an old one may ask for what a container lacks


def replace(stack: ExitStack, path: Path, text: str) -> None:
    """Write a file for as long as `stack` is open, then put back what was there before."""
    old = path.read_bytes() if path.exists() else None
    if old is None or old.startswith(MARK.encode()):  # ours, left by a run that was killed
        stack.callback(path.unlink, missing_ok=True)
    else:
        stack.callback(path.write_bytes, old)
    path.write_text(MARK + text)


def start(
    stack: ExitStack, run: Path, command: list[str], ready: Callable[[], bool], limit: int = 60
) -> None:
    """Start a daemon in the foreground and wait until `ready`; `stack` stops that process."""
    log = run / f"{command[0]}.out"
    with log.open("w") as out:
        daemon = subprocess.Popen(
            [str(which(command[0])), *command[1:]], stdout=out, stderr=out, start_new_session=True
        )
    stack.callback(stop, daemon)
    deadline = time.monotonic() + limit
    while not ready():
        if daemon.poll() is not None or time.monotonic() > deadline:
            ended = daemon.returncode is not None
            state = f"ended with {daemon.returncode}" if ended else f"is not ready after {limit} s"
            tail = "\n".join(log.read_text().splitlines()[-40:])
            raise RuntimeError(f"{command[0]} {state}. Its log:\n{tail}")
        time.sleep(0.2)


def stop(daemon: subprocess.Popen[bytes]) -> None:
    """End one process that we started."""
    daemon.terminate()
    try:
        daemon.wait(timeout=15)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def controller_is_up() -> bool:
    """Ask slurmctld for a sign of life."""
    return "is UP" in output("scontrol", "ping")


def node_is_idle() -> bool:
    """Ask whether the node takes jobs."""
    return output("sinfo", "--noheader", "--format=%T").strip() == "idle"


def cancel_jobs(limit: float = 30) -> None:
    """End the jobs left over, since slurmd would leave their processes behind."""
    output("scancel", "--me")
    deadline = time.monotonic() + limit
    while output("squeue", "--noheader").strip() and time.monotonic() < deadline:
        time.sleep(0.2)


def output(*command: str) -> str:
    """Return what a SLURM client prints; nothing while the daemons are not there yet."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def run_snakemake(cwd: Path, *args: str, limit: int = 600) -> subprocess.CompletedProcess[str]:
    """Run `snakemake ARGS` in `cwd` with the calling interpreter's programs first on the path.

    SLURM jobs inherit the environment of the submission, hence this interpreter, too. stdout and
    stderr come back as one text, in order. After `limit` seconds Snakemake is interrupted, so
    that it cancels its jobs, and the exit code is 124.
    """
    drop = ("SNAKEMAKE_", "CUDA_VISIBLE_DEVICES", "SLURM_", "SBATCH_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    env["PATH"] = f"{Path(sys.executable).parent}:{env.get('PATH', os.defpath)}"
    return subprocess.run(
        ["timeout", "--signal=INT", "--kill-after=60", str(limit), "snakemake", *args],
        cwd=cwd,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )

"""A real SLURM cluster on this machine, and a function that runs Snakemake on it.

Its node has two fake GPUs and enforces memory limits; it can be lost and come back. Two more nodes,
of one GPU each, are in the partition `mixed`, which uses them first. SLURM reads its configuration
through links in /etc/slurm; all files (keys, sockets, state, logs) are in a temporary directory.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock
from programs import wait_until

ETC = Path("/etc/slurm")
PROFILE = Path(__file__).parents[2] / "profiles" / "slurm"

# The fake GPUs have a type, so that jobs can ask for `gpu: 1` or for a typed gres.
SLURM_CONF = """\
ClusterName=nearfirst
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
# A requeued job waits until its old credential has expired: 120 s by default.
AuthInfo=socket={run}/munge.socket,cred_expire=10
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool/%n
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd.%n.pid
# When the first process of a job ends, its others are killed, as at a site with cgroups.
ProctrackType=proctrack/pgid
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Schedule every 2 s; by default a requeued job waits for up to a minute.
SchedulerParameters=sched_interval=2,bf_interval=2
AccountingStorageType=accounting_storage/none
# Without cgroups memory limits are enforced by polling, here once a second.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# Refuse what no node can provide, instead of queueing it forever.
EnforcePartLimits=ALL
MinJobAge=300
KillWait=5
# A node that has not answered for this many seconds is lost, and its jobs are requeued.
SlurmdTimeout=10
ReturnToService=2
GresTypes=gpu
{hardware} NodeAddr=127.0.0.1 Gres=gpu:fake:2 Weight=2
NodeName=one[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17011-17012] CPUs=2 \\
    RealMemory=1000 Gres=gpu:fake:1
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE
PartitionName=mixed Nodes=ALL MaxTime=INFINITE
"""
GRES_CONF = """\
NodeName={node} Name=gpu Type=fake File=/dev/null,/dev/zero
NodeName=one[1-2] Name=gpu Type=fake File=/dev/null
"""
SMALL_NODES = ("one1", "one2")


def missing_requirement() -> str | None:
    """Return why no cluster can be started here; None if one can."""
    missing = [name for name in ("munged", "slurmctld", "slurmd", "srun") if not which(name)]
    if missing:
        return f"SLURM is not installed: no {', '.join(missing)} (apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "only root can start SLURM"
    if (conf := ETC / "slurm.conf").exists() and not conf.is_symlink():
        return f"this machine has a cluster of its own: {conf}"
    return None


def which(name: str) -> str | None:
    """Return the path of a program, which may be in an sbin directory."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


class Cluster:
    """A cluster started by these tests, whose node can be lost and brought back."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.node: subprocess.Popen[bytes] | None = None

    def start_node(self) -> None:
        """Start slurmd; return when the node accepts jobs."""
        self.node = start(self.run, ["slurmd", "-D"])
        # Idle, or with jobs that outlived its daemon.
        ready = ("idle", "mixed", "allocated")
        wait_until_ready(self.run, self.node, lambda: node_state() in ready)

    def kill_slurmd(self) -> None:
        """Kill the daemon with SIGKILL, but not the processes of its jobs."""
        if self.node is not None:
            stop(self.node)

    def kill_node(self) -> None:
        """Kill slurmd and all processes of its jobs, as if the power were cut.

        Returns when the controller has given up the node and requeued the jobs.
        """
        jobs = job_processes(self.run)
        self.kill_slurmd()  # first, or it would report the end of its jobs to the controller
        while jobs:
            for process in jobs:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(jobs, timeout=10)
            jobs = job_processes(self.run)
        wait_until(lambda: "down" in node_state(), "the loss of the node")


def job_processes(run: Path) -> list[psutil.Process]:
    """Return the processes of the cluster's jobs: each slurmstepd and its descendants."""
    processes = []
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "slurmstepd" and process.info["cwd"] == str(run):
            with suppress(psutil.NoSuchProcess):
                processes += [process, *process.children(recursive=True)]
    return processes


@contextmanager
def slurm_cluster() -> Iterator[Cluster]:
    """Start a cluster and stop it at the end."""
    ETC.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(FileLock(ETC / "nearfirst-tests.lock"))  # one at a time on a machine
        run = Path(tempfile.mkdtemp(prefix="slurm-"))
        stack.callback(shutil.rmtree, run, ignore_errors=True)
        run.chmod(0o755)  # munged refuses a socket that others cannot reach
        configure(stack, run)
        munged = ["munged", f"--key-file={run}/munge.key", f"--socket={run}/munge.socket"]
        munged += [f"--{name}-file={run}/munge.{name}" for name in ("log", "pid", "seed")]
        for command, ready in (
            ([*munged, "--foreground"], (run / "munge.socket").exists),
            (["slurmctld", "-D"], lambda: "is UP" in output("scontrol", "ping")),
        ):
            daemon = start(run, command)
            stack.callback(stop, daemon)
            wait_until_ready(run, daemon, ready)
        cluster = Cluster(run)
        stack.callback(cluster.kill_slurmd)
        for name in SMALL_NODES:
            stack.callback(stop, start(run, ["slurmd", "-D", "-N", name]))
        cluster.start_node()
        stack.callback(cancel_jobs)
        yield cluster


def configure(stack: ExitStack, run: Path) -> None:
    """Write the configuration of a cluster with files in `run`, to which /etc/slurm links."""
    host = socket.gethostname().split(".")[0]
    (run / "munge.key").write_bytes(os.urandom(128))
    (run / "munge.key").chmod(0o600)
    for name in ("state", "spool"):
        (run / name).mkdir()
    # `slurmd -C` prints the NodeName line of this machine. A node that claims more is drained.
    slurmd = [str(which("slurmd")), "-C"]
    hardware = subprocess.run(slurmd, capture_output=True, text=True, check=True).stdout
    line = " ".join(word for word in hardware.splitlines()[0].split() if "Gres=" not in word)
    name = line.split()[0].removeprefix("NodeName=")
    names = {"host": host, "node": name, "run": run, "hardware": line}
    for file, text in (("slurm", SLURM_CONF), ("gres", GRES_CONF), ("cgroup", "")):
        (run / f"{file}.conf").write_text(text.format(**names))
        link = ETC / f"{file}.conf"
        if link.is_symlink():  # ours, left by a run that was killed
            link.unlink()
        link.symlink_to(run / f"{file}.conf")
        stack.callback(link.unlink)


def start(run: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """Start a daemon in the foreground; its log is NAME.out in `run`."""
    with (run / f"{command[0]}.out").open("a") as out:
        return subprocess.Popen(
            [str(which(command[0])), *command[1:]],
            cwd=run,  # slurmstepd inherits it, which identifies the processes of this cluster
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def wait_until_ready(run: Path, daemon: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    """Wait until `ready`; if the daemon ends first, raise an error with its log."""
    name = Path(str(daemon.args[0])).name
    wait_until(lambda: daemon.poll() is not None or ready(), name)
    assert daemon.poll() is None, (run / f"{name}.out").read_text()


def stop(daemon: subprocess.Popen[bytes]) -> None:
    """Kill a daemon, whose files are removed anyway."""
    daemon.kill()
    daemon.wait()


def node_state() -> str:
    """Return the state of the node with two GPUs from sinfo; a star if it does not answer."""
    return output("sinfo", "--noheader", "--partition=all", "--format=%T").strip()


def cancel_jobs() -> None:
    """Cancel remaining jobs, since slurmd would leave their processes behind."""
    output("scancel", "--me")
    wait_until(lambda: not output("squeue", "--noheader").strip(), "the end of the jobs")


def output(*command: str) -> str:
    """Return what a SLURM client prints; nothing while the daemons are not up yet."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def clean_environment(python: str = "") -> dict[str, str]:
    """Return the environment of a Snakemake with the programs of this Python first on the path.

    If `python` is a folder, its programs come before them.
    """
    drop = ("SNAKEMAKE_", "CUDA_VISIBLE_DEVICES", "SLURM_", "SBATCH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    folders = [python, str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
    return kept | {"PATH": os.pathsep.join(filter(None, folders))}


def run_snakemake(
    cwd: Path, *args: str, limit: int = 600, python: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `snakemake ARGS` in `cwd`; stdout and stderr are combined, in order.

    SLURM jobs run with the interpreter of the submission: this one, or that in the folder `python`,
    whose programs are then not children of their job. After `limit` seconds Snakemake is
    interrupted, so that it cancels its jobs, and the exit code is 124.
    """
    timeout = ["timeout", "--signal=INT", "--kill-after=60", str(limit)]
    return subprocess.run(
        [*timeout, "python", "-m", "snakemake", *args],
        cwd=cwd,
        env=clean_environment(python),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )

"""A real SLURM cluster on this machine, and the way to run Snakemake on it.

Its node has two fake GPUs and holds jobs to their memory; it can be lost and come back. Two more,
of one GPU each, are in the partition `mixed`, which takes them first.
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
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

ETC = Path("/etc/slurm")
PROFILE = Path(__file__).parents[2] / "profiles" / "slurm"
MARK = "# written by nearfirst's tests\n"

# The two fake GPUs are of a type, so that both `gpu: 1` and a typed gres can be asked for.
SLURM_CONF = """\
ClusterName=nearfirst
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
# A job that is queued again waits until its old credential is void: 120 s by default.
AuthInfo=socket={run}/munge.socket,cred_expire=10
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool/%n
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd.%n.pid
# What is left of a job whose first process has ended is killed, as at a site with cgroups.
ProctrackType=proctrack/pgid
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Look for what may run now every 2 s; by default a job queued again waits for up to a minute.
SchedulerParameters=sched_interval=2,bf_interval=2
AccountingStorageType=accounting_storage/none
# Without cgroups memory limits hold by polling, here once a second.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# Refuse what no node can give, instead of queueing it for ever.
EnforcePartLimits=ALL
MinJobAge=300
KillWait=5
# A node that has not answered for so many seconds is lost, and its jobs are queued again.
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


class Cluster:
    """One that these tests started, whose node can be lost and brought back."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.node: subprocess.Popen[bytes] | None = None

    def start_node(self) -> None:
        """Start slurmd; return when the node takes jobs."""
        self.node = start(self.run, ["slurmd", "-D"])
        wait_until_ready(self.run, self.node, node_takes_jobs)

    def kill_slurmd(self) -> None:
        """Kill the daemon with SIGKILL and leave what its jobs run alone."""
        assert self.node is not None
        self.node.kill()
        self.node.wait()

    def kill_node(self, limit: float = 120) -> None:
        """Kill slurmd and all that its jobs run, as if the power were cut.

        Returns when the controller has given the node up: it has queued the jobs again.
        """
        jobs = job_processes(self.run)
        self.kill_slurmd()  # first: it would tell the controller what became of its jobs
        while jobs:
            for process in jobs:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(jobs, timeout=10)
            jobs = job_processes(self.run)
        deadline = time.monotonic() + limit
        while "down" not in node_state():
            if time.monotonic() > deadline:
                raise RuntimeError(f"after {limit} s the lost node is still {node_state()}")
            time.sleep(0.2)

    def stop_node(self) -> None:
        """End slurmd in the ordinary way, if it runs."""
        if self.node is not None:
            stop(self.node)


def job_processes(run: Path) -> list[psutil.Process]:
    """List what runs for jobs of the cluster in `run`: each slurmstepd, then its descendants."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "slurmstepd" and process.info["cwd"] == str(run):
            with suppress(psutil.NoSuchProcess):
                found += [process, *process.children(recursive=True)]
    return found


@contextmanager
def slurm_cluster() -> Iterator[Cluster | None]:
    """Hold a cluster: a new one, stopped at the end, or None: one already runs, left alone."""
    if answers():
        yield None
        return
    with ExitStack() as stack:
        run = Path(tempfile.mkdtemp(prefix="slurm-"))
        stack.callback(shutil.rmtree, run, ignore_errors=True)
        run.chmod(0o755)  # munged refuses a socket that others cannot reach
        configure(stack, run)
        munged = ["munged", f"--key-file={run}/munge.key", f"--socket={run}/munge.socket"]
        munged += [f"--{name}-file={run}/munge.{name}" for name in ("log", "pid", "seed")]
        for command, ready in (
            ([*munged, "--foreground"], (run / "munge.socket").exists),
            (["slurmctld", "-D"], controller_is_up),
        ):
            daemon = start(run, command)
            stack.callback(stop, daemon)
            wait_until_ready(run, daemon, ready)
        cluster = Cluster(run)
        stack.callback(cluster.stop_node)
        for name in SMALL_NODES:
            stack.callback(stop, start(run, ["slurmd", "-D", "-N", name]))
        cluster.start_node()
        stack.callback(cancel_jobs)
        yield cluster


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
    line = " ".join(word for word in hardware.splitlines()[0].split() if "Gres=" not in word)
    name = line.split()[0].removeprefix("NodeName=")
    names = {"host": host, "node": name, "run": run, "hardware": line}
    ETC.mkdir(exist_ok=True)
    replace(stack, ETC / "slurm.conf", SLURM_CONF.format(**names))
    replace(stack, ETC / "gres.conf", GRES_CONF.format(**names))
    replace(stack, ETC / "cgroup.conf", "")  # an old one may ask for what a container lacks


def replace(stack: ExitStack, path: Path, text: str) -> None:
    """Write a file for as long as `stack` is open, then put back what was there before."""
    old = path.read_bytes() if path.exists() else None
    if old is None or old.startswith(MARK.encode()):  # ours, left by a run that was killed
        stack.callback(path.unlink, missing_ok=True)
    else:
        stack.callback(path.write_bytes, old)
    path.write_text(MARK + text)


def start(run: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """Start a daemon in the foreground; its log is NAME.out in `run`."""
    with (run / f"{command[0]}.out").open("a") as out:
        return subprocess.Popen(
            [str(which(command[0])), *command[1:]],
            cwd=run,  # slurmd's slurmstepd keeps it: so we know ours
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def wait_until_ready(
    run: Path, daemon: subprocess.Popen[bytes], ready: Callable[[], bool], limit: int = 60
) -> None:
    """Wait until `ready`; where that fails, say so with the end of the daemon's log."""
    deadline = time.monotonic() + limit
    while not ready():
        if daemon.poll() is not None or time.monotonic() > deadline:
            ended = daemon.returncode is not None
            state = f"ended with {daemon.returncode}" if ended else f"is not ready after {limit} s"
            name = Path(str(daemon.args[0])).name
            tail = "\n".join((run / f"{name}.out").read_text().splitlines()[-40:])
            raise RuntimeError(f"{name} {state}. Its log:\n{tail}")
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


def node_takes_jobs() -> bool:
    """Ask whether the node is there: idle, or with jobs that outlived its daemon."""
    return node_state() in ("idle", "mixed", "allocated")


def node_state() -> str:
    """Return the state of the node with two GPUs in sinfo's words; a star: it does not answer."""
    return output("sinfo", "--noheader", "--partition=all", "--format=%T").strip()


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

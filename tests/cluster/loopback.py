"""A real Slurm on this machine's loopback: one controller, several nodes, everything in one folder, as the user who runs it."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "sinfo")
CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool.%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=1
SlurmdTimeout=5
InactiveLimit=0
KillWait=2
MinJobAge=300
ReturnToService=2
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def can_run() -> bool:
    return all(_which(name) for name in NEEDED)


class Slurm:
    """`with Slurm(root, 3) as slurm`: nodes n1 to n3, of one job each; slurm.environment for its commands."""

    def __init__(self, root: Path, n_nodes: int):
        root.mkdir(parents=True, exist_ok=True)
        self.root, self.nodes = root, [f"n{i + 1}" for i in range(n_nodes)]
        self.host, self.running = socket.gethostname().split(".")[0], {}
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(root / "slurm.conf"),
            "PATH": os.pathsep.join([str(root / "bin"), os.environ["PATH"]]),
        }
        ports = _free_ports(n_nodes + 1)
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={self.host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=9000 State=UNKNOWN"
            for name, port in zip(self.nodes, ports[1:], strict=True)
        )
        for folder in ("state", *(f"spool.{name}" for name in self.nodes)):
            (root / folder).mkdir(exist_ok=True)
        (root / "slurm.conf").write_text(
            CONF.format(root=root, host=self.host, user=getpass.getuser(), controller=ports[0], nodes=nodes)
        )

        # Snakemake's job step drops every SLURM_ variable; a cluster's commands find /etc/slurm/slurm.conf without.
        (root / "bin").mkdir(exist_ok=True)
        srun = root / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={root}/slurm.conf exec {_which("srun")} "$@"\n')
        srun.chmod(0o755)

    def __enter__(self) -> Slurm:
        key = self.root / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        places = {
            "key-file": key, "socket": self.root / "munge.socket", "pid-file": self.root / "munge.pid",
            "log-file": self.root / "munge.log", "seed-file": self.root / "munge.seed",
        }  # fmt: skip
        self._start("munged", "--foreground", "--force", *(f"--{name}={path}" for name, path in places.items()))
        _until(places["socket"].exists, 10, "munge's socket")
        self.start_controller(fresh=True)
        for name in self.nodes:
            self.start_node(name)
        _until(lambda: self.idle() == len(self.nodes), 30, "idle nodes")
        return self

    def __exit__(self, *_exception) -> None:
        with contextlib.suppress(subprocess.SubprocessError, TimeoutError):
            self.cancel()
        for name in reversed(list(self.running)):
            self.kill(name)

    def start_controller(self, fresh: bool = False) -> None:
        self._start("slurmctld", "-D", *(["-c"] if fresh else []))
        _until(lambda: "UP" in self.run("scontrol", "ping"), 20, "the controller")

    def start_node(self, name: str) -> None:
        self._start("slurmd", "-D", "-N", name, named=name)

    def kill(self, name: str) -> None:
        """End a daemon at once; a node with everything that runs there, as a machine that loses its power."""
        jobs = self.jobs().get(name, []) if name in self.nodes else []
        process = self.running.pop(name)
        process.kill()
        process.wait()
        for pid in _of_jobs(jobs):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def cancel(self, *which: str) -> None:
        """End these jobs (scancel's options; none: all), and wait until none is left."""
        self.run("scancel", *(which or ("--user", getpass.getuser())))
        _until(lambda: not self.run("squeue", "--noheader"), 30, "the end of all jobs")

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [_which(command[0]), *command[1:]], env=self.environment, capture_output=True, text=True, timeout=30
        )
        return done.stdout

    def idle(self) -> int:
        return self.run("sinfo", "--noheader", "--Node", "--states=idle", "--format=%N").count("n")

    def jobs(self) -> dict[str, list[str]]:
        """{node: ids of the jobs that run there}."""
        found: dict[str, list[str]] = {}
        for line in self.run("squeue", "--noheader", "--states=R", "--format=%N %i").splitlines():
            node, job = line.split()
            found.setdefault(node, []).append(job)
        return found

    def _start(self, program: str, *arguments, named: str | None = None) -> None:
        log = (self.root / f"{named or program}.out").open("a")
        command = [_which(program), *map(str, arguments)]
        self.running[named or program] = subprocess.Popen(
            command, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )


def _which(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _of_jobs(jobs: list[str]) -> list[int]:
    """Processes of these jobs, those that watch over them among them."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, IndexError):
            watcher = any(process.cmdline()[0].startswith(f"slurmstepd: [{job}.") for job in jobs)
            if watcher or process.environ().get("SLURM_JOB_ID") in jobs or process.environ().get("MOSAIC_JOB") in jobs:
                found.append(process.pid)
    return found


def _until(holds, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)

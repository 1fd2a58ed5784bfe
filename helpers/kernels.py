"""Kernels forked from one warmed process: what all notebooks import is imported once, not once a notebook.

The warmed process is an interpreter of its own. It ends when the one that asked for kernels ends, however that
happens, and takes its kernels with it. Linux only: elsewhere a kernel is started the ordinary way.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import threading
from functools import cache
from typing import IO, Any, cast

import psutil
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from helpers.files import ROOT, HelperError

#: None of the project's own modules: a kernel imports these itself, as they are when it starts.
WARM = (
    "matplotlib_inline.backend_inline", "ipykernel.kernelapp", "ipykernel.ipkernel", "debugpy", "seaborn",
    "matplotlib.pyplot", "matplotlib.backends.backend_agg", "scipy.stats", "scipy.optimize", "statsmodels.api",
    "statsmodels.stats.proportion", "arch.bootstrap", "joblib", "exchange_calendars", "pyarrow.parquet", "duckdb",
    "pandas.tseries.holiday", "pandas.io.formats.style", "nbformat", "jsonschema", "yaml", "tqdm", "filelock",
)  # fmt: skip
_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG
_STARTING = threading.Lock()


class Kernel(psutil.Process):  # type: ignore[misc]
    """A forked kernel, as far as jupyter_client asks of a ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """None while it runs."""
        return None if self.is_running() else 0

    def send_signal(self, sig: int) -> None:
        """Nothing, as with ``Popen``, if it has ended already."""
        with contextlib.suppress(psutil.NoSuchProcess):
            super().send_signal(sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forked(LocalProvisioner):
    """Forks the warmed process instead of starting an interpreter."""

    async def launch_kernel(self, cmd: list[str], **given: Any) -> Any:
        """Launch a kernel; ``cmd`` is that of the kernel's specification."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = Kernel(_parent().fork(arguments, given["env"], str(given.get("cwd") or os.getcwd())))
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def use() -> None:
    """Fork every kernel that this process starts from now on, where the platform can."""
    if sys.platform == "linux":
        factory = KernelProvisionerFactory.instance()
        entry = importlib.metadata.EntryPoint("forked", f"{__name__}:Forked", factory.GROUP_NAME)
        factory.provisioners["forked"] = entry
        factory.default_provisioner_name = "forked"
        _parent()


class Parent:
    """The warmed process, seen from the one that asks for kernels."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        inline = "module://matplotlib_inline.backend_inline"  # as ipykernel sets it
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": inline},
            start_new_session=True,
        )
        self.asks, self.answers = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        atexit.register(self.end)

    def end(self) -> None:
        """Let it end, and with it what it started."""
        self.asks.close()
        self.process.wait()

    def fork(self, arguments: list[str], env: dict[str, str], cwd: str) -> int:
        """Process number of a new kernel."""
        with self.lock:
            self.asks.write(json.dumps([arguments, env, cwd]).encode() + b"\n")
            self.asks.flush()
            if answer := self.answers.readline():
                return int(answer)
        raise HelperError(
            "The process that starts kernels died (memory may have run out); run the command again."
        )


def _parent() -> Parent:
    with _STARTING:  # two threads that ask first at once must not start two, of which one would be dropped
        return _started()


@cache
def _started() -> Parent:
    return Parent()


def serve() -> None:
    """Answer each request on standard input with the process number of a kernel."""
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # ipykernel reads it as it is imported
    for name in WARM:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]
    signal.signal(signal.SIGCHLD, _reap)
    while request := sys.stdin.buffer.readline():
        child = os.fork()
        if not child:
            return _become(*json.loads(request))
        os.write(1, b"%d\n" % child)
    os._exit(0)


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(arguments: list[str], env: dict[str, str], cwd: str) -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    os.environ.clear()
    os.environ.update(env, JPY_PARENT_PID=str(os.getppid()))
    os.chdir(cwd)
    # The warmed process began with its own search path.
    sys.path[:0] = [
        place for place in env.get("PYTHONPATH", "").split(os.pathsep) if place not in ("", *sys.path)
    ]
    sys.argv = ["ipykernel_launcher", *arguments]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()

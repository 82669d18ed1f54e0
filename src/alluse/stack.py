"""Prometheus and Alertmanager beside the engine: Debian's programs on the very configuration of compose/.

Their commands, configuration and rules are those of compose/. Only what belongs to the
containers is replaced: addresses, paths, and, where a test is in a hurry, how often things happen.
"""

import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

import yaml

from alluse.errors import SettingsError

__all__ = ["Checkout", "Stack", "missing_programs"]

_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_START_TRIES = 5  # a port that was free when it was chosen may be another's by the time a program listens
_TAKEN = "address already in use"  # so says Go, and in other letters everything else
_STOP_SECONDS = 10.0
_LOG_LINES = 5  # of a program that did not start
_MOUNTED = "/etc/prometheus/"
_HASTENED = frozenset({"scrape_interval", "scrape_timeout", "evaluation_interval", "interval"})
_HASTENED_ROUTE = frozenset({"group_wait", "group_interval"})


class _Program(NamedTuple):
    """service: its name in compose.yaml; names: of the executable, Debian's first."""

    service: str
    names: tuple[str, ...]
    port: int
    config: str


_PROGRAMS = (
    _Program("prometheus", ("prometheus",), 9090, "prometheus/prometheus.yml"),
    _Program("alertmanager", ("prometheus-alertmanager", "alertmanager"), 9093, "alertmanager/alertmanager.yml"),
)


def missing_programs() -> list[str]:
    """Debian's names of the programs that are not installed here."""
    return [each.names[0] for each in _PROGRAMS if _executable(each) is None]


class _PortTakenError(SettingsError):
    """A program ended because another listens where it was to."""


class Stack:
    """The two servers on this machine, ready for use, until `close()`.

    root: a checkout of the repository; engine, inbox: host and port of what is scraped and of what alerts go to.
    every: seconds between scrapes and between evaluations, in the place of what the files say; alerts are then
    delivered as soon. Holding times and the windows of queries stay. usual_ports: 9090 and 9093 where they are free.
    Raises SettingsError where a program or a file is missing, or a server does not start.
    """

    def __init__(
        self, root: Path, *, engine: str, inbox: str, every: int | None = None, usual_ports: bool = False
    ) -> None:
        if missing := missing_programs():
            raise SettingsError(f"the stack needs {' and '.join(missing)}: apt-get install {' '.join(missing)}")
        checkout, others = Checkout(root), {"engine": engine, "inbox": inbox}
        for left in reversed(range(_START_TRIES)):
            ports = {each.service: _free_port(each.port if usual_ports else 0) for each in _PROGRAMS}
            try:
                self._running = self._started(checkout, ports, others, every)
            except _PortTakenError:
                if not left:
                    raise
            else:
                break

    def _started(
        self, checkout: "Checkout", ports: Mapping[str, int], others: Mapping[str, str], every: int | None
    ) -> ExitStack:
        """Both servers on these ports, and what stops them. Raises _PortTakenError where another took a port."""
        addresses = {service: f"{_HOST}:{port}" for service, port in ports.items()}
        self.prometheus_url, self.alertmanager_url = (f"http://{addresses[each.service]}" for each in _PROGRAMS)
        with ExitStack() as started:
            folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="alluse-stack-")))
            files = _Files(checkout, folder, {**addresses, **others}, every)
            self._logs = {each.service: folder / f"{each.service}.log" for each in _PROGRAMS}
            for each in reversed(_PROGRAMS):
                process = _start(files.command(each), self._logs[each.service])
                started.callback(_stop, process)
                _await_ready(each, addresses[each.service], process, self.log)
            return started.pop_all()

    def log(self, service: str, lines: int | None = None) -> str:
        """What a server has logged, or its last lines."""
        written = self._logs[service].read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(written if lines is None else written[-lines:])

    def close(self) -> None:
        """Stop both and drop what they stored; twice is no harm."""
        self._running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Checkout:
    """What a checkout of the repository says of the programs, all of it read at once.

    Raises SettingsError where a file is missing or malformed.
    """

    def __init__(self, root: Path) -> None:
        self.services = _load(root / "compose" / "compose.yaml")["services"]
        self.configs = {each.service: _load(root / "compose" / each.config) for each in _PROGRAMS}
        self.rules = _rules(root / "compose" / "prometheus" / "rules")
        """The rules files by their names."""


class _Files:
    """The configuration of a checkout as the programs get it."""

    def __init__(self, checkout: Checkout, folder: Path, addresses: Mapping[str, str], every: int | None) -> None:
        self._checkout, self._folder, self._addresses, self._every = checkout, folder, addresses, every
        rules = folder / "rules"  # as under /etc/prometheus in the container
        rules.mkdir()
        for name, document in checkout.rules.items():
            self._write(rules / name, document)

    def command(self, program: _Program) -> list[str]:
        """The program's command in compose.yaml, with the paths and the address of here."""
        executable = _executable(program)
        config = self._folder / f"{program.service}.yml"
        self._write(config, self._checkout.configs[program.service])
        data = str(self._folder / program.service)
        here = {
            "--config.file": str(config),
            "--storage.tsdb.path": data,
            "--storage.path": data,
            "--web.listen-address": self._addresses[program.service],
        }
        flags = (flag.partition("=") for flag in self._checkout.services[program.service]["command"])
        return [str(executable), *(f"{name}={here.get(name, value)}" for name, _, value in flags)]

    def _write(self, path: Path, document: Any) -> None:
        replaced = yaml.safe_dump(self._replaced(document), sort_keys=False, allow_unicode=True, width=10_000)
        path.write_text(replaced, encoding="utf-8")

    def _replaced(self, node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {name: self._replaced(value, name) for name, value in node.items()}
        if isinstance(node, list):
            return [self._replaced(value, key) for value in node]
        if not isinstance(node, str):
            return node
        if self._every is not None and key in _HASTENED:
            return f"{self._every}s"
        if self._every is not None and key in _HASTENED_ROUTE:
            return "1s"
        return self._here(node) if key in ("targets", "url", "rule_files") else node

    def _here(self, text: str) -> str:
        """An address or a path, with the containers' part of it replaced by this machine's."""
        services = "|".join(self._addresses)
        moved = re.sub(rf"(?<![\w.-])({services}):\d+", lambda found: self._addresses[found[1]], text)
        return moved.replace(_MOUNTED, f"{self._folder}/")


def _rules(folder: Path) -> dict[str, Any]:
    """The rules files of a folder, by their names."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise SettingsError(f"{folder} holds no rules; give the folder of a checkout of the repository")
    return {path.name: _load(path) for path in paths}


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}; give the folder of a checkout of the repository"
        ) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is no YAML: {' '.join(str(error).split())}") from None


def _executable(program: _Program) -> str | None:
    return next((found for name in program.names if (found := shutil.which(name))), None)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, wanted))
        except OSError:
            return _free_port(0)
        return int(probe.getsockname()[1])


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C is for the engine, which then stops the servers. Should the engine die
    # without doing so, the kernel does.
    bound = [setpriv, "--pdeathsig", "TERM", "--"] if (setpriv := shutil.which("setpriv")) else []
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - Debian's programs, on files of the repository
            [*bound, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_ready(
    program: _Program, address: str, process: subprocess.Popen[bytes], log: Callable[[str, int], str]
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(f"http://{address}/-/ready"):
            return
        time.sleep(0.05)
    what = "did not start" if process.poll() is not None else f"was not ready within {_START_SECONDS:g} s"
    said = log(program.service, _LOG_LINES)
    kind = _PortTakenError if _TAKEN in said.lower() else SettingsError
    raise kind(f"{program.names[0]} {what}; it said last:\n{said}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - http, and this machine
            return bool(response.status == 200)
    except OSError:
        return False

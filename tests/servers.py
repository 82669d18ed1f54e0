"""Installs the servers that the tests start, where they are missing and this may be done: python tests/servers.py

With names of packages, only these: python tests/servers.py valgrind. This may be done as root on a Debian with
apt-get. Elsewhere it says what to install. It never fails: the tests that miss a server are skipped by name and
reason, or fail where REQUIRE_SERVERS=1 is set.
"""

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

PACKAGES = {
    "prometheus": ("prometheus", "promtool"),
    "prometheus-alertmanager": ("prometheus-alertmanager", "amtool"),
    "postgresql": ("/usr/lib/postgresql/*/bin/initdb",),
    "redis-server": ("redis-server",),
    "prometheus-pushgateway": ("prometheus-pushgateway",),
    "prometheus-node-exporter": ("prometheus-node-exporter",),
    "curl": ("curl",),
    "valgrind": ("valgrind",),
    # The OTLP collector of the tests comes with pip, and is linked against it.
    f"libpython{_PYTHON}": (f"libpython{_PYTHON}.so",),
}
"""Debian's packages, and the programs and libraries of each that are needed."""

FETCHED = ("celery", "kubernetes-validate")
"""Programs that pip brings, which the tests without servers do without."""
BUILT = ("uwsgi",)
"""Such programs that pip builds with a C compiler."""

_CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_SERVICE = "#!/bin/sh\nexit 101\n"


def main(*names: str) -> None:
    """Install what is missing of the packages with these names, or of all, and say what was done."""
    packages = names or tuple(PACKAGES)
    missing = missing_packages(packages)
    if not missing:
        say(f"installed: {', '.join(packages)}")
    elif os.geteuid() != 0 or shutil.which("apt-get") is None:
        say(f"missing, and not installable from here: {', '.join(missing)}; run apt-get install {' '.join(missing)}")
    else:
        say(f"installing {', '.join(missing)}")
        with services_kept_down():
            if not install(*missing):
                apt_get("update")
                for package in missing:  # each by itself: one that there is not keeps no other out
                    install(package)
        left = missing_packages(packages)
        say(f"could not install {', '.join(left)}" if left else f"installed now: {', '.join(missing)}")


def fetch() -> None:
    """Have pip bring the programs that are not beside this Python, and build what it has to."""
    unbuilt = missing_programs(BUILT)
    if unbuilt and shutil.which("gcc") is None:
        say(f"missing: {', '.join(unbuilt)}, which pip builds where there is a C compiler (apt-get install gcc)")
        unbuilt = []
    for missing in (missing_programs(FETCHED), unbuilt):  # apart: one that cannot be built keeps no other out
        if missing:
            pip_install(missing)


def missing_programs(programs: tuple[str, ...]) -> list[str]:
    """Those that are not beside this Python."""
    return [name for name in programs if not Path(sys.executable).with_name(name).exists()]


def pip_install(missing: list[str]) -> None:
    """Have pip install these, of the pinned versions."""
    say(f"installing {', '.join(missing)} by pip")
    # What pip keeps of an earlier build may hold another Python of the same version, without the modules of this one.
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "-c", str(_CONSTRAINTS), *missing], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        say(f"could not install {', '.join(missing)}:\n{done.stderr[-1000:]}")


def missing_packages(packages: Iterable[str]) -> list[str]:
    """Those that have not all they should here."""
    return [package for package in packages if not all(map(found, PACKAGES[package]))]


def found(program: str) -> bool:
    """Whether the program is on the path, the library where the linker looks, or a file where the pattern says."""
    if program.endswith(".so"):
        return ctypes.util.find_library(program.removeprefix("lib").removesuffix(".so")) is not None
    if program.startswith("/"):
        return any(Path("/").glob(program[1:]))
    return shutil.which(program) is not None


@contextmanager
def services_kept_down() -> Iterator[None]:
    """Keep the packages from starting their services: the tests start their own, and the machine wants none."""
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text(_NO_SERVICE, encoding="utf-8")
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def install(*packages: str) -> bool:
    """Install the packages; False where it did not work."""
    return apt_get("install", "--yes", "--no-install-recommends", *packages)


def apt_get(*arguments: str) -> bool:
    """Run apt-get without a question; its words are shown where it fails."""
    done = subprocess.run(
        ["apt-get", "--quiet", *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode != 0:
        say(f"apt-get {arguments[0]} failed:\n{done.stdout[-1000:]}")
    return done.returncode == 0


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"tests/servers.py: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
        if not sys.argv[1:]:
            fetch()
    except OSError as error:
        say(f"gave up: {error}")

"""Run libraries' own test suites on instrumented objects: `python tests/peers/run.py [library ...]`.

Each library is a file in `suites/`, and a pytest plugin: its hooks and fixtures instrument every object that the
suite makes. The file also says

- SOURCE: the distribution whose source archive has the suite; None where the interpreter brings the suite;
- TESTS: arguments for pytest, from the root of the source, that select the suite;
- KNOWN: the tests that fail on instrumented objects, by the end of their id, each with the reason. A test
  that is listed and passes is an error, so that the list stays true. So is a name that no test has.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest

SUITES = Path(__file__).resolve().parent / "suites"


class Known:
    """A pytest plugin that expects the known failures, and no others."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        met = set()
        for item in items:
            for name in (name for name in self._known if item.nodeid.endswith(name)):
                met.add(name)
                item.add_marker(pytest.mark.xfail(reason=self._known[name], strict=True))
        if missing := sorted(self._known.keys() - met):
            raise pytest.UsageError(
                f"no test has the name {', '.join(missing)}; take it off the list of known failures"
            )


@contextmanager
def source(distribution: str | None) -> Iterator[Path]:
    """A folder with the source of the installed version of that distribution."""
    with TemporaryDirectory() as folder:
        if distribution is not None:
            wanted = f"{distribution}=={version(distribution)}"
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            subprocess.run([*download, "--no-binary", distribution, "--dest", folder, wanted], check=True)
            (archive,) = Path(folder).glob("*.tar.gz")
            shutil.unpack_archive(archive, folder)
            archive.unlink()
            (found,) = Path(folder).iterdir()
            yield found
        else:
            yield Path(folder)


def plugin(name: str) -> ModuleType:
    """The file of that library, under a module name that does not hide the library's own."""
    spec = spec_from_file_location(f"peer_{name}", SUITES / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def run(name: str) -> int:
    """Run one library's suite in this process; pytest's exit code."""
    library = plugin(name)
    with source(library.SOURCE) as folder:
        os.chdir(folder)
        quiet = [
            "-q",
            "-ra",
            "-o",
            "addopts=",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "-p",
            "no:xdist",
        ]
        return int(pytest.main([*quiet, *library.TESTS], plugins=[library, Known(library.KNOWN)]))


def main(names: list[str]) -> int:
    """Run the suites of these libraries, or of all, each in a process of its own."""
    every = sorted(path.stem for path in SUITES.glob("*.py"))
    failed = []
    for name in names or every:
        print(f"=== {name}", flush=True)
        code = subprocess.run([sys.executable, __file__, "--one", name], check=False).returncode
        if code:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "every suite passed, but for what is known")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        sys.exit(run(sys.argv[2]))
    sys.exit(main(sys.argv[1:]))

"""Change the code at random and see whether its own tests notice: `python tests/mutants/run.py [subject ...]`.

mutmut makes the mutants and runs the tests that reach each. A subject is a part of `src/manometer` with the tests
that are to notice its faults: those of its own folder, so that no part relies on the tests of another. It is
worked on in a copy below `.mutants/`, which also keeps what was found: the next run tries only what has changed,
and again what no test had noticed.

A mutant that mypy refuses is noticed too. `explained/` has a list for each subject of the mutants that no test
notices, each with the reason; the report ends with those that are not listed.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / ".mutants"

_MUTMUT = Path(sys.executable).with_name("mutmut")  # started as a module, it would collect no statistics


class Subject(NamedTuple):
    """Code below `src/manometer`, and the tests that are to notice its faults; both as patterns.

    left_out: parts of the names of tests that take too long for each mutant, or overflow the stack under the wrappers
    of mutmut. Quicker tests are to notice the same.
    at_import: whether the code works when it is imported. Then each mutant needs a fresh import and all tests,
    which is slow.
    rendered: whether committed files are rendered from it, which tell most mutants sooner than mypy does.
    """

    code: list[str]
    tests: list[str]
    without: Sequence[str] = ()
    left_out: Sequence[str] = ()
    at_import: bool = False
    rendered: bool = False


SUBJECTS = {
    "app": Subject(["app/*", "process.py"], ["tests/test_app.py", "tests/test_reload.py"]),
    "background": Subject(["background.py"], ["tests/test_background.py"], at_import=True),
    "catalogue": Subject(["catalogue/*"], ["tests/catalogue", "tests/mixin"], rendered=True),
    "checks": Subject(["checks/*"], ["tests/checks"]),
    "cli": Subject(["cli/*"], ["tests/cli"]),
    "config": Subject(["config/*"], ["tests/config"], at_import=True),
    "documents": Subject(["documents/*"], ["tests/config", "tests/cli"], at_import=True),
    "exposition": Subject(["exposition/*"], ["tests/exposition"]),
    "health": Subject(["health/*"], ["tests/health"]),
    "heap": Subject(["heap/*"], ["tests/heap"]),
    "instrumentation": Subject(
        ["instrumentation/*"], ["tests/instrumentation/test_*.py"], without=["instrumentation/*/*"]
    ),
    "handover": Subject(["handover/*", "flushing.py", "whole_file.py"], ["tests/handover", "tests/test_flushing.py"]),
    "internals": Subject(["prometheus_internals.py"], ["tests/test_prometheus_internals.py"]),
    **{
        part: Subject([f"instrumentation/{part}/*"], [f"tests/instrumentation/{part}"], left_out=left_out)
        for part, left_out in {
            "cache": ["model"],
            "engine": ["model", "of_the_stack"],
            "opentelemetry": (),
            "pool": ["model"],
            "queue": (),
            "resilience": (),
            "runtime": (),
        }.items()
    },
    "life": Subject(["life/*"], ["tests/life"], left_out=["test_service", "any_line", "process_1"]),
    "logs": Subject(["logs.py"], ["tests/test_logs.py"]),
    "meters": Subject(
        ["meters/*"],
        ["tests/meters", "tests/exposition/test_same_output.py"],
        left_out=["end_of_the_stack", "every_collection", "hold_no_lock", "large_numbers", "any_calls"],
    ),
    "mixin": Subject(["mixin/*", "dashboards.py"], ["tests/mixin"], rendered=True),
    # Left out are tests of programs with child processes, and of random files.
    "processes": Subject(
        ["processes/*"],
        ["tests/processes"],
        left_out=[
            *("test_model", "test_forks_in_c", "of_multiprocessing", "killed", "interpreters", "in_protobuf"),
            *("never_returns", "before_it_ends", "readers_never", "midst_of_scrapes", "file_system", "no_json"),
            "rights",
        ],
    ),
    "otlp": Subject(["otlp/*"], ["tests/otlp"]),
    "public_names": Subject(["__init__.py"], ["tests/test_public_names.py"]),
    "redaction": Subject(["redaction.py"], ["tests/test_redaction.py"]),
    "registry": Subject(["registry/*"], ["tests/registry"]),
    "serving": Subject(["serving/*"], ["tests/serving"]),
    "testing": Subject(["testing/*"], ["tests/testing"]),
    "tracing": Subject(
        ["tracing/*"], ["tests/tracing", "tests/instrumentation/engine"], left_out=["model", "of_the_stack"]
    ),
}

# Interrupted at any instruction, a test of these takes for ever under the wrappers of mutmut.
_LEFT_OUT = ["signal_handler", "gc_callback", "finalizer"]

_TYPE_CHECK = ["mypy", "src/manometer", "--output", "json", "--disable-error-code", "unused-ignore"]

_UNNOTICED = (0, 5, 33)  # exit codes: the tests passed, or there are none

_NOTICED = ("killed", "timeout", "segfault", "caught by type check", "suspicious")


class Mutant(NamedTuple):
    """A change of one function. was, now: the lines that differ."""

    function: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.was}\n    + {self.now}"


class Explained(NamedTuple):
    """Why no test notices such mutants.

    function: a pattern of the whole name of what is changed; change: a pattern of a part of `was -> now`.
    """

    function: str
    change: str
    why: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether this says why that mutant survives."""
        change = f"{mutant.was} -> {mutant.now}"
        return bool(re.fullmatch(self.function, mutant.function) and re.search(self.change, change))


def copied(subject: str) -> Path:
    """A copy of the repository's files, with mutmut set up for the subject; unchanged files stay as they are."""
    copy = WORK / subject
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [name for name in listed.splitlines() if (ROOT / name).exists()]
    for name in names:
        content, there = (ROOT / name).read_bytes(), copy / name
        if name == "pyproject.toml":
            content += _settings(SUBJECTS[subject], {each.partition("/")[0] for each in names} - {"src"}).encode()
        if not there.exists() or there.read_bytes() != content:
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(content)
    for there in [*copy.glob("src/**/*.py"), *copy.glob("tests/**/*.py")]:
        if not (ROOT / there.relative_to(copy)).exists():
            there.unlink()
    return copy


def _settings(subject: Subject, others: set[str]) -> str:
    settings = {
        "source_paths": ["src/manometer"],
        "only_mutate": [f"src/manometer/{each}" for each in subject.code],
        "do_not_mutate": [f"src/manometer/{each}" for each in subject.without],
        "also_copy": ["src/alluse", *sorted(others)],
        "pytest_add_cli_args": [
            *("-m", "not servers", "-p", "no:cacheprovider", "-p", "quick_first"),
            *("-k", f"not ({' or '.join([*_LEFT_OUT, *subject.left_out])})"),
            *(("-p", "at_import") if subject.at_import else ()),
            *(("-p", "rendered") if subject.rendered else ()),
        ],
        "pytest_add_cli_args_test_selection": [
            str(path.relative_to(ROOT)) for each in subject.tests for path in sorted(ROOT.glob(each))
        ],
        "type_check_command": [] if subject.rendered else _TYPE_CHECK,
        "track_dependencies": False,
        "process_isolation": "forkserver" if subject.at_import else "fork",
        "forkserver_warmup": "none",
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


def forget_survivors(copy: Path) -> None:
    """Have those tried again that no test noticed, with the tests that there are now."""
    (copy / "mutants/mutmut-stats.json").unlink(missing_ok=True)  # which test reaches what
    for kept in copy.glob("mutants/src/**/*.meta"):
        found = json.loads(kept.read_text())
        codes = found["exit_code_by_key"]
        codes.update({name: None for name, code in codes.items() if code in _UNNOTICED})
        kept.write_text(json.dumps(found))


def run(subject: str) -> Path:
    """Try the subject's mutants; the copy in which it was done."""
    copy = copied(subject)
    forget_survivors(copy)
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # mypy is among them
    mutated = copy / "mutants/src"
    mutated.mkdir(parents=True, exist_ok=True)  # the interpreter looks only once whether a folder is there
    # A child process that a test starts runs the mutant too. The plugins of pytest are in this folder.
    environment = os.environ | {"PATH": programs, "PYTHONPATH": os.pathsep.join([str(mutated), str(HERE)])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each mutant would have all tests compiled anew
    subprocess.run(
        [_MUTMUT, "run", "--max-children", str(os.cpu_count() or 1)], cwd=copy, check=True, env=environment
    )
    return copy


def outcomes(copy: Path) -> dict[str, str]:
    """What became of each mutant, by mutmut's name of it."""
    told = _mutmut(copy, "results", "--all", "True")
    return dict(line.strip().rsplit(": ", 1) for line in told.splitlines() if ": " in line)


def mutant(copy: Path, name: str) -> Mutant:
    """What mutmut has done in the mutant of that name."""
    lines = _mutmut(copy, "show", name).splitlines()
    was, now = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3))
        for sign in "-+"
    )
    module, _, function = name.partition("__mutmut_")[0].rpartition(".")
    return Mutant(f"{module}.{re.sub('^x_|^xǁ', '', function).replace('ǁ', '.')}", was, now)


def _mutmut(copy: Path, *arguments: str) -> str:
    return subprocess.run([_MUTMUT, *arguments], cwd=copy, check=True, capture_output=True, text=True).stdout


def explanations(subject: str) -> list[Explained]:
    """Those of the subject's list."""
    listed = HERE / f"explained/{subject}.toml"
    return [Explained(**each) for each in tomllib.loads(listed.read_text())["mutants"]] if listed.exists() else []


def main(subjects: list[str]) -> int:
    """Try these subjects, or all, and report; 1 where a mutant survives without an explanation."""
    unexplained = []
    for subject in subjects or SUBJECTS:
        copy, known = run(subject), explanations(subject)
        found = outcomes(copy)
        counts = Counter(found.values())
        survivors = [mutant(copy, name) for name, outcome in found.items() if outcome not in _NOTICED]
        unexplained += [each for each in survivors if not any(reason.covers(each) for reason in known)]
        noticed, share = len(found) - len(survivors), 1 - len(survivors) / max(len(found), 1)
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        print(f"{subject}: {noticed} of {len(found)} noticed, {share:.1%} ({told})", flush=True)
    for each in unexplained:
        print(f"not noticed: {each}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

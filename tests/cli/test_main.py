"""The command: exit statuses, and one line for a user's mistake."""

import os
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.metadata import version

import pytest

from manometer import cli
from manometer.cli import main, mixin
from manometer.errors import ConfigError
from waiting import DEADLINE

HELP = {
    "": """\
usage: manometer [-h] [--version] command ...

Look at what Manometer measures, and write dashboards and rules for it.

options:
  -h, --help  show this help message and exit
  --version   show program's version number and exit

commands:
  command
    top       show stages, caches, pools and queues of a running program
    serve     show the figures of a program's worker processes
    config    check a settings file, and show where settings come from
    mixin     write the dashboards, rules and runbooks
    catalogue
              print every metric by its names
    certify   check what a service promises against its live figures
    advise    tell what would pay to change: caches, pools, stages, the garbage collector
""",
    "top": """\
usage: manometer top [-h] [--interval SECONDS] [--count N] [--notes] [url]

Scrape a program's /metrics and show what happened since the scrape before: a live table in a
terminal, else a line for each stage, cache, pool and queue.

positional arguments:
  url                 the program's address (default: http://127.0.0.1:9464)

options:
  -h, --help          show this help message and exit
  --interval SECONDS  between scrapes (default: 1)
  --count N           end after that many intervals
  --notes             show lines from standard input above the table: an empty line ends them, the
                      next ones take their place, and a line that begins with ! stands out
""",
    "serve": """\
usage: manometer serve [-h] [--host HOST] [--port PORT] [--config FILE] [--profile NAME]
                       [--web.listen-address ADDRESS] [--web.telemetry-path PATH]
                       [--web.config.file FILE] [--web.max-requests N]
                       [DIR]

Serve /metrics for worker processes that share their figures in a directory, those of prometheus-
client's multiprocess mode among them. Settings are read as a program reads its own, and again at
SIGHUP.

positional arguments:
  DIR                   their directory (default: the setting processes_dir)

options:
  -h, --help            show this help message and exit
  --host HOST           address to listen on (default: the setting host)
  --port PORT           port to listen on, 0 for a free one (default: the setting port)
  --config FILE         settings file (default: MANOMETER_CONFIG_FILE)
  --profile NAME        profile of the file (default: MANOMETER_PROFILE)
  --web.listen-address ADDRESS
                        in place of host and port, as in 127.0.0.1:9464, [::1]:9464, :9464 for
                        every address, unix:/run/app.sock; may be given several times (default:
                        the setting listen_addresses)
  --web.telemetry-path PATH
                        path of the figures (default: the setting telemetry_path)
  --web.config.file FILE
                        TLS, users, headers and a rate, as exporter-toolkit has them (default: the
                        setting web_config_file)
  --web.max-requests N  scrapes that are answered at once (default: the setting max_requests)
""",
    "config": """\
usage: manometer config [-h] part ...

Check a settings file, show each setting and where it comes from, or print a file's schema.

options:
  -h, --help  show this help message and exit

parts:
  part
    check     tell every mistake in a settings file
    show      print each setting and where it comes from
    schema    print the JSON Schema of a settings file
""",
    "config show": """\
usage: manometer config show [-h] [--config FILE] [--profile NAME] [--format {text,json}]
                             [--program NAME=MODULE:CLASS]

Print each setting and where it comes from: a line of the file, a variable, or the default.

options:
  -h, --help            show this help message and exit
  --config FILE         settings file (default: MANOMETER_CONFIG_FILE)
  --profile NAME        profile of the file (default: MANOMETER_PROFILE)
  --format {text,json}  for people or programs (default: text)
  --program NAME=MODULE:CLASS
                        look at the settings of that program too, which the dataclass declares
""",
    "mixin": """\
usage: manometer mixin [-h] [--format {prometheus,operator,jsonnet}] [--out DIR] [--config FILE]
                       [--service FILE] [--check]

Write Grafana dashboards to DIR/dashboards, Prometheus rules to DIR/alert_rules, and the runbooks
that are missing to DIR/docs/runbooks; or dashboards and rules in another format.

options:
  -h, --help            show this help message and exit
  --format {prometheus,operator,jsonnet}
                        operator: Kubernetes manifests for the Prometheus Operator, in
                        DIR/operator; jsonnet: also DIR/mixin.libsonnet; both need the extra mixin
                        (default: prometheus)
  --out DIR             where to write (default: here)
  --config FILE         YAML of your scrape jobs and thresholds; needs the extra mixin
  --service FILE        YAML of what a service promises, whose burn rates alert; once for each
                        service; needs the extra mixin
  --check               write nothing; fail where a file is not up to date
""",
    "certify": """\
usage: manometer certify [-h] --prometheus URL --against FILE [--out DIR] [--json]

Check the promises of a file against the live series of a Prometheus, and print a certificate. The
exit status is 0 where all are kept, 1 where one is broken or has no figure, and 2 where that could
not be found out.

options:
  -h, --help        show this help message and exit
  --prometheus URL  such as http://127.0.0.1:9090
  --against FILE    YAML of the promises
  --out DIR         write DIR/certificate.md and DIR/certificate.json
  --json            print JSON in the place of Markdown
""",
    "advise": """\
usage: manometer advise [-h] --prometheus URL [--config FILE] [--window TIME] [--json]

Tell what would pay to change in the programs that a Prometheus scrapes: the gain to expect, what to
do, and the query that says so. Nothing is said of what has too few samples or too little traffic.
The exit status is 0 where there is nothing to change, 1 where there is, and 2 where it could not be
found out.

options:
  -h, --help        show this help message and exit
  --prometheus URL  such as http://127.0.0.1:9090
  --config FILE     YAML of your thresholds, the same as `manometer mixin --config` takes; needs
                    the extra yaml
  --window TIME     how far to look back (default: 1h, or what the file says)
  --json            print JSON in the place of text
""",
    "catalogue": """\
usage: manometer catalogue [-h] [--format {markdown,json,weaver}] [--out DIR]

Print every metric with its OpenTelemetry and Prometheus names.

options:
  -h, --help            show this help message and exit
  --format {markdown,json,weaver}
                        tables, JSON, or the definitions of an OpenTelemetry registry (default:
                        markdown)
  --out DIR             with --format weaver: write the whole registry there
""",
}


def _manometer(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "manometer", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        **options,
    )


def test_the_module_is_the_command():
    """`python -m manometer` runs it."""
    done = _manometer("--version")
    assert (done.returncode, done.stdout) == (0, f"manometer {version('manometer')}\n")


def test_the_version_is_told(capsys):
    """Of the distribution."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"manometer {version('manometer')}\n"


@pytest.mark.parametrize("command", HELP)
def test_help_tells_what_there_is(command, monkeypatch, capsys):
    """The commands, and the arguments of each with their defaults."""
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    # How wide the columns are differs between versions of Python.
    assert capsys.readouterr().out.split() == HELP[command].split()


@pytest.mark.parametrize("arguments", [[], ["tops"], ["top", "--count", "0"], ["top", "--interval", "x"]])
def test_wrong_arguments_are_refused(arguments, capsys):
    """argparse's own status, and usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: manometer" in capsys.readouterr().err


def test_a_user_s_mistake_is_one_line():
    """An address that is none: status 2 and no traceback."""
    done = _manometer("top", "ftp://127.0.0.1")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "manometer: 'ftp://127.0.0.1' is no address of a program; write it as http://127.0.0.1:9464\n"
    )


def test_an_error_of_ours_is_one_line(monkeypatch, capsys):
    """Whatever command raises it."""

    def run(_):
        raise ConfigError("no such folder; make it")

    monkeypatch.setattr(mixin, "run", run)
    assert main(["mixin"]) == 2
    assert capsys.readouterr().err == "manometer: no such folder; make it\n"


@pytest.mark.parametrize(
    ("missing", "status"), [("grafana_foundation_sdk.builders", 2), ("manometer.nothing.there", None), (None, None)]
)
def test_a_missing_library_names_the_extra(monkeypatch, capsys, missing, status):
    """The extra has the command's name; a module of our own that is missing is a fault, and shows as one."""

    def run(_):
        raise ModuleNotFoundError(name=missing)

    monkeypatch.setattr(mixin, "run", run)
    if status is None:
        with pytest.raises(ModuleNotFoundError):
            main(["mixin"])
    else:
        assert main(["mixin"]) == status
        error = capsys.readouterr().err
        assert error == "manometer: the mixin command needs an extra: pip install 'manometer[mixin]'\n"


@pytest.mark.parametrize("times", [1, 100_000])
def test_a_reader_that_has_had_enough_is_no_error(monkeypatch, capsys, times):
    """Such as `head`: no traceback, neither from the command nor as its output is closed at the interpreter's end."""

    def run(_):
        sys.stdout.write("line\n" * times)
        return 1

    monkeypatch.setattr(mixin, "run", run)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out, redirect_stdout(out):
        assert main(["mixin"]) == 0
    assert capsys.readouterr().err == ""


def test_nothing_but_main_is_public():
    """Commands are reached through it."""
    assert cli.__all__ == ["main"]


def test_ctrl_c_amid_the_start_is_no_traceback(monkeypatch, capsys):
    """Before a command is there to end well, the status is the one that a shell gives."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("argparse.ArgumentParser.parse_args", interrupted)
    assert main(["top"]) == 130
    assert capsys.readouterr().err == ""

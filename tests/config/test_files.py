"""Settings files: profiles, programs, lines, and everything that is wrong in one."""

import pytest

from manometer.config import Settings, SettingsError
from manometer.errors import ConfigError

FILE = """\
port: 1000
service_name: shop
profiles:
  production:
    port: 2000
    host: 0.0.0.0
  staging:
"""


@pytest.fixture
def file(tmp_path):
    """Writes a settings file, and returns its path."""

    def write(text):
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        return path

    return write


def _mistakes(path, environ=None, **given):
    with pytest.raises(SettingsError) as raised:
        Settings.load(path, environ or {}, **given)
    return [mistake.replace(str(path), "FILE") for mistake in raised.value.mistakes]


def test_the_chosen_profile_counts_over_the_top_level(file):
    """Without one, the top level alone counts; a profile without settings changes nothing."""
    path = file(FILE)
    assert Settings.load(path, {}) == Settings(port=1000, service_name="shop")
    assert Settings.load(path, {}, profile="staging") == Settings(port=1000, service_name="shop")
    assert Settings.load(path, {}, profile="production") == Settings(port=2000, service_name="shop", host="0.0.0.0")


def test_variables_name_the_file_and_the_profile(file):
    """For a program that names none; its own word counts over theirs."""
    path = file(FILE)
    environ = {"MANOMETER_CONFIG_FILE": str(path), "MANOMETER_PROFILE": "production"}
    assert Settings.load(environ=environ).port == 2000
    assert Settings.load(environ=environ, profile="staging").port == 1000
    other = path.with_name("other.yaml")
    other.write_text("port: 3")
    assert Settings.load(other, {"MANOMETER_CONFIG_FILE": str(path)}).port == 3
    assert Settings.load(environ={"MANOMETER_CONFIG_FILE": " ", "MANOMETER_PROFILE": ""}) == Settings()


def test_each_source_wins_over_the_ones_before(file):
    """Default, a platform's variable, file, profile, variable, command line, call."""
    path = file("service_name: file\nprofiles: {production: {service_name: profile}}")
    platform = {"OTEL_SERVICE_NAME": "platform"}
    own = platform | {"MANOMETER_SERVICE_NAME": "variable"}
    options = {"service_name": "option", "port": None}

    def name(*args, **given):
        return Settings.load(*args, **given).service_name

    assert name(None, {}) == "python"
    assert name(None, platform) == "platform"
    assert name(path, platform) == "file"
    assert name(path, platform, profile="production") == "profile"
    assert name(path, own, profile="production") == "variable"
    assert name(path, own, options=options) == "option"
    assert name(path, own, options=options, service_name="call") == "call"


@pytest.mark.parametrize(
    ("profile", "environ", "message"),
    [
        ("produktion", {}, "unknown profile 'produktion' in file FILE; did you mean production?"),
        ("prod", {}, "unknown profile 'prod' in file FILE; did you mean production?"),
        ("", {}, "unknown profile '' in file FILE; there are production, staging"),
        (
            None,
            {"MANOMETER_PROFILE": "x"},
            "unknown profile 'x' of variable MANOMETER_PROFILE in file FILE; there are production, staging",
        ),
    ],
)
def test_an_unknown_profile_is_refused_with_the_nearest(file, profile, environ, message):
    """It was meant to change something."""
    assert _mistakes(file(FILE), environ, profile=profile) == [message]


def test_a_profile_without_a_file_is_refused():
    """So that nobody believes production's settings to hold."""
    with pytest.raises(ConfigError) as raised:
        Settings.load(environ={"MANOMETER_PROFILE": "production"})
    assert str(raised.value) == (
        "profile 'production' of variable MANOMETER_PROFILE is chosen, and there is no settings file; "
        "name one, as by MANOMETER_CONFIG_FILE"
    )


def test_all_mistakes_of_a_file_are_told_whichever_profile_is_chosen(file):
    """Each with its line; a mistake in a profile shows before that is chosen."""
    path = file("prot: 1\nport: http\nprofiles:\n  production:\n    log_level: loud\n    trace_ratio: 0.5\n")
    assert _mistakes(path) == [
        "unknown setting 'prot' in file FILE, line 1; did you mean port?",
        "port is 'http' in file FILE, line 2; it takes a whole number from 0 to 65535",
        "log_level is 'loud' in file FILE, line 5; it takes one of debug, info, warning, error, critical",
    ]
    with pytest.raises(ConfigError, match=r"did you mean port\? \(and 2 more wrong\)$"):
        Settings.load(path, {})


def test_mistakes_of_all_sources_are_told(file):
    """A wrong variable hides no wrong line."""
    options, environ = {"log_format": "xml"}, {"MANOMETER_PROT": "1"}
    assert len(_mistakes(file("port: -1"), environ, options=options, trace_ratio=2)) == 4


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("port: 1\nhost: a\nport: 2\n", ["port stands more than once in file FILE, lines 1 and 3; keep one of them"]),
        (
            "port: 1\nport: 1\nport: 1\n",
            ["port stands more than once in file FILE, lines 1, 2 and 3; keep one of them"],
        ),
        (
            "profiles:\n  a: {port: 1}\n  a: {port: 2}\n",
            ["a stands more than once in file FILE, lines 2 and 3; keep one of them"],
        ),
        (
            "profiles:\n  a:\n    port: 1\n    port: 1\n",
            ["port stands more than once in file FILE, lines 3 and 4; keep one of them"],
        ),
        ("profiles: 5", ["profiles is no mapping in file FILE, line 1; it takes names, each with its settings"]),
        ("profiles:\n  - a", ["profiles is no mapping in file FILE, line 1; it takes names, each with its settings"]),
        ("profiles:\n  a: 5", ["'a' of profiles is no mapping in file FILE, line 2; it takes settings"]),
        ("profiles:\n  on: {port: 1}", ["True of profiles is no name in file FILE, line 2; quote it"]),
        ("profiles: {'': {port: 1}}", ["'' of profiles is no name in file FILE, line 1; quote it"]),
        ("programs: [shop]", ["programs is no mapping in file FILE, line 1; it takes names, each with its settings"]),
        ("programs: {shop: 5}", ["'shop' of programs is no mapping in file FILE, line 1; it takes settings"]),
        (
            "profiles: {a: {profiles: {b: {port: 1}}}}",
            ["unknown setting 'profiles' in file FILE, line 1; "],
        ),
        ("port: [1, 2]", ["port is [1, 2] in file FILE, line 1; it takes a whole number from 0 to 65535"]),
        ("port: {a: 1}", ["port is a mapping in file FILE, line 1; it takes a whole number from 0 to 65535"]),
        ("port: null", ["port is None in file FILE, line 1; it takes a whole number from 0 to 65535"]),
        ("port:\n", ["port is None in file FILE, line 1; it takes a whole number from 0 to 65535"]),
        (f"port: 0x{'f' * 5000}", ["port is a int in file FILE, line 1; it takes a whole number from 0 to 65535"]),
    ],
)
def test_what_is_wrong_is_told_by_line(file, text, messages):
    """Once, and in words of the settings."""
    found = _mistakes(file(text))
    assert len(found) == len(messages)
    assert all(mistake.startswith(message) for mistake, message in zip(found, messages, strict=True))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [*a]", "is no YAML: it is nested too deeply, line 1, column 4"),
        ("profiles: &p {a: *p}", "is no YAML: it is nested too deeply, line 1, column 11"),
        ("[" * 5000, "is nested too deeply"),
        (f"{'{a: ' * 15}1{'}' * 15}", "is no YAML: it is nested too deeply, line 1, column 45"),
        ("[a]: 1", "is no YAML: a key is a list or a mapping, line 1, column 1"),
        ("port: 2001-99-99", "is no YAML: it is no value of the kind that it looks like; quote it, line 1, column 7"),
        ("port: !!int x", "is no YAML: it is no value of the kind that it looks like; quote it, line 1, column 7"),
        ("port: !!python/name:os.system x", "is no YAML: could not determine a constructor for the tag …, line 1, "),
        ("<<: 5", "is no YAML: << takes a mapping, line 1, column 1"),
        ("a: 1\n---\nb: 2", "is no YAML: but found another document, line 2, column 1"),
        ("port: \0", "is no YAML: unacceptable character #x0000"),
        ("# " + "x" * 1_000_000, "is longer than 1,000,000 bytes; is it the right one?"),
    ],
)
def test_what_is_no_settings_file_is_refused(file, text, reason):
    """What an alias makes endless, what would run code, and what is too large among it."""
    with pytest.raises(ConfigError) as raised:
        Settings.load(file(text), {})
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_aliases_cannot_make_a_small_file_large(file):
    """Nine times nine levels of it: each node is read once."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert len(_mistakes(file("\n".join(lines)))) == 9


def test_a_profile_may_have_the_settings_of_another(file):
    """By YAML's own means: an anchor, an alias and the key <<. What the profile says itself comes first."""
    path = file("profiles:\n  production: &it {port: 1, host: 0.0.0.0}\n  staging:\n    port: 2\n    <<: *it\n")
    assert Settings.load(path, {}, profile="staging") == Settings(port=2, host="0.0.0.0")


@pytest.mark.parametrize("name", ["none.yaml", "", "\0"])
def test_a_path_that_is_no_file_is_refused(tmp_path, name):
    """Whatever the system says of it."""
    with pytest.raises(ConfigError, match="cannot read the settings file "):
        Settings.load(f"{tmp_path}/{name}", {})

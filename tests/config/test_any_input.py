"""Whatever is read, Settings or a ConfigError that names the place come of it, and no secret is ever told."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from manometer.config import Settings
from manometer.config.declared import declared
from manometer.config.loading import mistakes_of, read_file
from manometer.errors import ConfigError

NAMES = [*declared(Settings), "otlp_headers_file", "profiles", "programs", "production", "prot", "log_levle", "shop"]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.dates(),
    st.sampled_from(["http://a", "debug", "json", "a=b", 9464, 0.5, 5.0]),
)
KEYS = st.one_of(st.sampled_from(NAMES), SCALARS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
SECRET = "hunter2ttttttttttttttt"
INDICATORS = st.text("*&!%@`|>'\"[]{}#,?-~ \t=\\", max_size=4)


def _path(folder, content):
    path = folder / "any.yaml"
    path.write_bytes(content)
    return path


def _tried(path, environ=None, **given):
    """What came of it: settings, or the text of the error."""
    try:
        return Settings.load(path, environ or {}, **given)
    except ConfigError as error:
        return str(error)


def _found(path):
    """What the checker finds, or the text of the error that keeps it from looking."""
    try:
        return mistakes_of(read_file(path), {None: Settings})
    except ConfigError as error:
        return str(error)


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_settings_or_an_error_that_names_the_file(tmp_path_factory, content):
    """No other exception comes of what a file holds."""
    path = _path(tmp_path_factory.getbasetemp(), content)
    told = _tried(path)
    assert isinstance(told, Settings) or (str(path) in told and "\n" not in told)


@given(document=VALUES, profile=st.none() | st.just("production"))
@example(document={"profiles": {"production": None}, "programs": None}, profile="production")
def test_any_document_is_settings_or_an_error_that_names_the_file(tmp_path_factory, document, profile):
    """And the checker says the same of the file as loading does, with all that is wrong."""
    path = _path(tmp_path_factory.getbasetemp(), yaml.safe_dump(document).encode())
    told = _tried(path, profile=profile)
    assert isinstance(told, Settings) or str(path) in told
    found = _found(path)
    if isinstance(found, str):
        assert told == found
    elif found:
        assert told.startswith(found[0])
    elif not isinstance(told, Settings):
        assert "unknown profile" in told or "otlp_headers_file" in told  # which depend on more than the file


@given(
    variables=st.dictionaries(
        st.sampled_from([f"MANOMETER_{name.upper()}" for name in [*NAMES, "CONFIG_FILE", "PROFILE"]]),
        st.text(st.characters(exclude_characters="\0"), max_size=20) | st.sampled_from(["1", "0.5", "true", "a=b"]),
    )
)
def test_any_variables_are_settings_or_an_error(variables):
    """The error names the variable, or the file that it names."""
    told = _tried(None, variables)
    assert isinstance(told, Settings) or any(
        part in told for variable, text in variables.items() for part in (variable, f"file {text.strip()}")
    )


@given(
    before=INDICATORS, after=INDICATORS, end=st.sampled_from(["", "\nport: x", "\n\tport: 5", "\n%", "\n  - a: ["])
)
@example(before="*", after="", end="")
@example(before="!", after="", end="")
@example(before="&a &", after="", end="")
@example(before="|9", after="", end="")
def test_no_error_tells_a_secret_that_is_malformed(tmp_path_factory, before, after, end):
    """Not even one that begins with a character that means something to YAML."""
    text = f"otlp_headers: {before}{SECRET}{after}{end}"
    told = _tried(_path(tmp_path_factory.getbasetemp(), text.encode()))
    assert SECRET[:8] not in repr(told)

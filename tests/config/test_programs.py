"""A program's own settings: any dataclass, read like Manometer's, from its own part of the same file."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from manometer.config import Loaded, Settings, SettingsError, load
from manometer.config.source import Origin, Source
from manometer.errors import ConfigError


@dataclass(frozen=True)
class Shop:
    """A program's settings: plain fields, and checks of its own."""

    workers: int = 4
    patience: float = 1.5
    is_open: bool = False
    name: str = "shop"
    shelf: Path | None = None
    prices: tuple[Path, ...] = ()
    database: str = field(default="none", metadata={"secret": True, "help": "URL of the database."})
    least: int = 1
    most: int = field(default_factory=lambda: 10)

    def __post_init__(self):
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}; a shop needs one")
        if self.database != "none" and "://" not in self.database:
            raise ValueError(f"the database {self.database} is no URL")
        if self.least > self.most:
            raise ValueError(f"least is {self.least} and most is {self.most}")


FILE = """\
port: 1000
programs:
  shop: {workers: 8, prices: [a.csv, b.csv], shelf: /shelf}
  stall: {anything: [goes]}
profiles:
  production:
    programs:
      shop: {workers: 64, is_open: true, patience: 3}
"""


@pytest.fixture
def file(tmp_path):
    """Writes a settings file, and returns its path."""

    def write(text):
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        return path

    return write


def _shop(*arguments, **given):
    return load(Shop, "shop", *arguments, **given).settings


def _mistakes(*arguments, **given):
    with pytest.raises(SettingsError) as raised:
        _shop(*arguments, **given)
    return list(raised.value.mistakes)


def test_a_file_has_a_part_for_each_program(file):
    """Manometer reads its own settings from the same file, and leaves those of programs to these."""
    path = file(FILE)
    prices = (Path("a.csv"), Path("b.csv"))
    assert _shop(path, {}) == Shop(workers=8, prices=prices, shelf=Path("/shelf"))
    assert _shop(path, {}, profile="production") == Shop(64, 3, True, prices=prices, shelf=Path("/shelf"))
    assert Settings.load(path, {}, profile="production") == Settings(port=1000)
    assert load(Shop, "bakery", path, {}).settings == Shop()


def test_variables_begin_with_the_name_of_the_program():
    """Each type is read from text; a list has commas between its parts."""
    environ = {
        "SHOP_WORKERS": "2",
        "SHOP_PATIENCE": "0.5",
        "SHOP_IS_OPEN": "true",
        "SHOP_NAME": "corner",
        "SHOP_SHELF": "/x",
        "SHOP_PRICES": "a, b",
        "MANOMETER_PORT": "5",
    }
    assert _shop(None, environ) == Shop(2, 0.5, True, "corner", Path("/x"), (Path("a"), Path("b")))
    assert load(Shop, "corner-shop", None, {"CORNER_SHOP_WORKERS": "3"}).settings.workers == 3


def test_a_secret_of_a_program_may_be_in_a_file(tmp_path):
    """As those of Manometer."""
    (tmp_path / "url").write_text("sqlite://\n")
    assert _shop(None, {"SHOP_DATABASE_FILE": str(tmp_path / "url")}).database == "sqlite://"


def test_each_value_has_its_source(file):
    """With the line and the profile of a file, or the variable."""
    path = file(FILE)
    loaded = load(
        Shop,
        "shop",
        path,
        {"SHOP_PATIENCE": "2"},
        profile="production",
        options={"least": 2},
        call={"most": 3},
    )
    assert isinstance(loaded, Loaded)
    assert loaded.sources == {
        "workers": Source(Origin.FILE, str(path), 8, "production"),
        "patience": Source(Origin.VARIABLE, "SHOP_PATIENCE"),
        "is_open": Source(Origin.FILE, str(path), 8, "production"),
        "name": Source(Origin.DEFAULT),
        "shelf": Source(Origin.FILE, str(path), 3),
        "prices": Source(Origin.FILE, str(path), 3),
        "database": Source(Origin.DEFAULT),
        "least": Source(Origin.COMMAND_LINE),
        "most": Source(Origin.CALL),
    }


def test_types_are_held_to(file):
    """Each wrong one is told, with its line."""
    path = file(
        "programs:\n  shop:\n    workers: many\n    patience: .inf\n    is_open: 1\n    name: 5\n    shelf: ''\n"
        "    prices: a.csv\n    wrokers: 1\n"
    )
    assert _mistakes(path, {}) == [
        f"workers is 'many' in file {path}, line 3; it takes a whole number",
        f"patience is inf in file {path}, line 4; it takes a number",
        f"is_open is 1 in file {path}, line 5; it takes true or false",
        f"name is 5 in file {path}, line 6; it takes text",
        f"shelf is '' in file {path}, line 7; it takes a path",
        f"prices is 'a.csv' in file {path}, line 8; it takes a list, each a path",
        f"unknown setting 'wrokers' in file {path}, line 9; did you mean workers?",
    ]


def test_what_the_program_itself_refuses_is_blamed_on_its_source(file):
    """Its own words, and the line; a secret's are not told, for they may show it."""
    path = file("programs: {shop: {workers: 0}}\nprofiles: {production: {programs: {shop: {workers: -1}}}}")
    environ = {"SHOP_DATABASE": "hunter2"}
    assert _mistakes(path, environ) == [
        f"workers is 0; a shop needs one (workers in file {path}, line 1)",
        f"workers is -1; a shop needs one (workers in file {path}, line 2)",
        "database is wrong in variable SHOP_DATABASE, and not shown; URL of the database.",
    ]


def test_what_is_wrong_together_is_told():
    """In the program's words; where a secret is among the values, by their names alone."""
    environ = {"SHOP_LEAST": "5", "SHOP_MOST": "6"}
    assert _mistakes(None, environ, call={"most": 5, "least": 6}) != []
    assert _mistakes(None, environ | {"SHOP_LEAST": "10", "SHOP_MOST": "9"}) == ["least is 10 and most is 9"]
    environ = {"SHOP_LEAST": "10", "SHOP_MOST": "9", "SHOP_DATABASE": "a://hunter2"}
    assert _mistakes(None, environ) == ["these are wrong together: database, least, most"]


def test_a_part_with_nearly_the_program_s_name_is_taken_for_misspelt(file):
    """It would be ignored in silence; another program's is left alone."""
    path = file("programs:\n  shpo: {workers: 1}\n  stall: {}\n")
    assert _mistakes(path, {}) == [f"unknown program 'shpo' in file {path}, line 2; did you mean shop?"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (int, "has no default; give it one"),
        (dict, "is no type of a setting; take bool, int, float, str, Path, or a tuple"),
        (int | str, "is no type of a setting"),
        (tuple[int, int], "is no type of a setting"),
    ],
)
def test_a_dataclass_that_cannot_be_read_is_refused(kind, reason):
    """The mistake is the programmer's, and told at once."""
    default = {} if kind is int else {"default": None}
    made = dataclass(type("Made", (), {"__annotations__": {"what": kind}, "what": field(**default)}))
    with pytest.raises(ConfigError) as raised:
        load(made, "made", environ={})
    assert reason in str(raised.value)


def test_the_page_s_program_works(tmp_path, monkeypatch):
    """The page on settings has a file and a program that reads it."""
    page = (Path(__file__).parents[2] / "docs/settings.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(text)
    names = {"__name__": "shop"}
    exec(program, names)
    assert (names["shop"].workers, names["shop"].database) == (8, "sqlite://")

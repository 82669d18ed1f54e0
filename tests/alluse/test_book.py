"""Tests of alluse.book."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from alluse.book import ORDERS, Book, BookError, PoolTimeoutError, database_url
from alluse.errors import BookUnavailableError, BrokerError, SettingsError
from alluse.orders import Action
from alluse.pricing import Right
from waiting import joined


def _well() -> None:
    """No fault strikes."""


def _broken() -> None:
    raise BrokerError("broke off")


def _batch() -> str:
    return uuid.uuid4().hex


def test_orders_and_positions_are_written(book: Book, order):
    """A lot that is sold is the account's; one that is bought back no longer is."""
    book.write(_batch(), [order()], _well, _well)
    lot = book.lots()["GOOG-0001"]
    assert (lot.right, lot.strike, lot.contracts, lot.price) == (Right.PUT, 650.0, 5, 4.5)
    book.write(_batch(), [order(action=Action.CLOSE, quantity=5)], _well, _well)
    assert book.lots() == {}
    assert (book.count(), book.audit()) == (2, [])


def test_what_breaks_off_halfway_leaves_nothing(book: Book, order):
    """The orders that were written before it are gone with it."""
    with pytest.raises(BrokerError):
        book.write(_batch(), [order(), order("GOOG-0002")], _well, _broken)
    assert (book.count(), book.lots(), book.audit()) == (0, {}, [])


def test_what_is_sent_again_is_written_once(book: Book, order):
    """A batch that stands already is left as it is."""
    batch = _batch()
    for _ in range(2):
        book.write(batch, [order()], _well, _well)
    assert (book.count(), book.audit()) == (1, [])


def test_lot_that_the_book_does_not_have_is_not_bought_back(book: Book, order):
    """Nothing of that workflow is written."""
    with pytest.raises(BrokerError, match="no lot of GOOG-0001 to buy back"):
        book.write(_batch(), [order(action=Action.CLOSE, quantity=5)], _well, _well)
    assert book.count() == 0


def test_audit_finds_what_does_not_add_up(book: Book, order):
    """A batch with an order missing, and orders without their position."""
    with book.engine.begin() as connection:
        row = {"size": 2, "account": "A", "symbol": "X", "action": "open", "right": "put", "strike": 1.0}
        row |= {"batch": "b", "number": 0, "day": order().day, "quantity": -3, "price": 1.0}
        connection.execute(insert(ORDERS), row)
    assert book.audit() == ["batch b has 1 of 2 orders", "A holds 0 contracts of -3 ordered"]


def test_book_is_found_again(tmp_path: Path, order):
    """A file outlives the book that wrote it."""
    url = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    first = Book(url)
    first.write(_batch(), [order()], _well, _well)
    first.close()
    second = Book(url)
    assert list(second.lots()) == ["GOOG-0001"]
    second.close()


def test_temporary_book_leaves_nothing_behind():
    """Its folder goes with it."""
    book = Book()
    folder = book.folder
    assert folder is not None
    assert folder.exists()
    book.close()
    assert not folder.exists()


def test_connections_are_limited(book: Book):
    """The fourth of three waits in vain, and gets one when one is back."""
    held = [book.hold() for _ in range(3)]
    with pytest.raises(PoolTimeoutError):
        book.ping()
    held.pop().close()
    book.ping()
    for connection in held:
        connection.close()


def test_confirmed_orders_survive_the_machine(book: Book):
    """Readers do not block the writer, and what is committed is on the disk."""
    with book.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nonsense", "the book's URL cannot be read"),
        ("postgresql://u:p@127.0.0.1:notaport/db", "the book's URL cannot be read"),
        ("postgresql://u:p@ss@127.0.0.1/db", "an '@' too many; write it as %40"),
        ("postgresql://u:p/ss@127.0.0.1/db", "a '/' as %2F"),
        ("postgresql://127.0.0.1/db?user=u&password=p@ss", "write it as %40"),
        ("mysql://a/b", "not in 'mysql'"),
        ("sqlite://", "write sqlite:///book.sqlite, or none"),
        ("sqlite:///:memory:", "write sqlite:///book.sqlite, or none"),
    ],
)
def test_what_is_no_book_is_refused(given: str, reason: str):
    """The error says what a book's URL is."""
    with pytest.raises(SettingsError, match=reason):
        database_url(given)


def test_postgresql_goes_by_psycopg():
    """Whatever driver the URL leaves out."""
    assert database_url("postgresql://u@h/d").drivername == "postgresql+psycopg"


def test_database_that_is_down_is_named_without_its_password():
    """The error says which, why, and what to do."""
    with pytest.raises(BookUnavailableError) as refused:
        Book("postgresql://alluse:hunter2@127.0.0.1:1/alluse")
    told = str(refused.value)
    assert "postgresql+psycopg://alluse:***@127.0.0.1:1/alluse" in told
    assert "hunter2" not in told
    assert "start the database or give another with --book" in told


def test_passwords_among_the_options_are_masked():
    """However the URL carries them."""
    with pytest.raises(BookUnavailableError) as refused:
        Book(
            "postgresql://alluse@127.0.0.1:1/alluse?password=hunter2&passfile=/hunter3&sslpassword=hunter4&gssencmode=disable"
        )
    assert "?gssencmode=disable&passfile=***&password=***&sslpassword=***: " in str(refused.value)
    assert "hunter" not in str(refused.value)


def test_escaped_password_is_taken():
    """An @ and a / as a URL has them."""
    assert database_url("postgresql://u:p%40s%2Fs@127.0.0.1/db").password == "p@s/s"


@pytest.mark.parametrize("option", ["timeout=abc", "cached_statements=abc"])
def test_option_that_the_driver_cannot_read_is_refused(option: str, tmp_path: Path):
    """It is the setting that is at fault, not the database."""
    with pytest.raises(SettingsError, match=rf"book\.sqlite\?{option} has an option that cannot be read: .*'abc'"):
        Book(f"sqlite:///{tmp_path / 'book.sqlite'}?{option}")


def test_book_in_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    """SQLite makes files, not folders."""
    with pytest.raises(BookUnavailableError, match=r"none/book\.sqlite: unable to open database file"):
        Book(f"sqlite:///{tmp_path / 'none' / 'book.sqlite'}")


def test_many_writers_keep_the_book_whole(book: Book, order):
    """Threads that write at once, some of which break off, leave whole batches alone."""
    failed = []

    def work(number: int) -> None:
        for turn in range(20):
            account = f"GOOG-{number}-{turn}"
            try:
                book.write(
                    _batch(), [order(account), order(f"{account}b")], _well, _broken if turn % 4 == 0 else _well
                )
            except (BrokerError, BookError, PoolTimeoutError) as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert book.audit() == []
    assert book.count() == 2 * (80 - len(failed))
    assert len(failed) >= 20


_WRITER = """
import sys, uuid
from datetime import date
from alluse.book import Book
from alluse.orders import Action, Order
from alluse.pricing import Right
book, order, other = Book(sys.argv[1]), Order(), Order()
for number in range(1_000_000):
    for each, account in ((order, f"A{number}"), (other, f"B{number}")):
        each.fill(account=account, symbol="X", day=date(2008, 1, 2), action=Action.OPEN, right=Right.PUT, strike=1.0,
                  quantity=-1, price=1.0)
    book.write(uuid.uuid4().hex, [order, other], lambda: None, lambda: None)
    print(number, flush=True)
"""


def test_killed_writer_leaves_whole_batches(tmp_path: Path):
    """A process that is killed while it writes has confirmed nothing that is not there, and left no half."""
    url = f"sqlite:///{tmp_path / 'book.sqlite'}"
    with subprocess.Popen([sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 25:
                break
        os.kill(writer.pid, signal.SIGKILL)
    book = Book(url)
    assert book.audit() == []
    assert book.count() >= 52
    assert book.count() % 2 == 0
    book.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_database_that_goes_away_is_an_error_of_the_book(tmp_path: Path, order):
    """A file that is no database any more fails each write, and a new one serves again."""
    path = tmp_path / "book.sqlite"
    book = Book(f"sqlite:///{path}", connections=1)
    book.engine.dispose()
    good = path.read_bytes()
    path.write_bytes(b"this is no database, and long enough to be seen as none" * 20)
    with pytest.raises(BookError):
        book.write(_batch(), [order()], _well, _well)
    path.write_bytes(good)
    book.write(_batch(), [order()], _well, _well)
    assert book.audit() == []
    book.close()

"""The book: every order and position, in SQLite or PostgreSQL.

What a workflow orders is written in one transaction: all of it, or nothing. An order's key comes
with it, so that one sent again after an unclear ending is found and not written twice.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Date,
    Engine,
    Float,
    Integer,
    MetaData,
    QueuePool,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from alluse.errors import BookUnavailableError, BrokerError, SettingsError
from alluse.orders import Action, Order
from alluse.pricing import Right
from alluse.rules import Lot
from alluse.scratch import Scratch

__all__ = ["ORDERS", "POSITIONS", "Book", "BookError", "PoolTimeoutError", "database_url"]

BookError = DBAPIError
"""What a database that fails or goes away raises."""

_SECRETS = {"password", "passfile", "sslpassword"}
"""Options of a PostgreSQL URL that nobody else is to read."""

_METADATA = MetaData()

ORDERS = Table(
    "alluse_orders",
    _METADATA,
    Column("batch", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("account", String(32), nullable=False),
    Column("symbol", String(16), nullable=False),
    Column("day", Date, nullable=False),
    Column("action", String(8), nullable=False),
    Column("right", String(8), nullable=False),
    Column("strike", Float, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price", Float, nullable=False),
)
"""One row an order. batch: those of one workflow; number and size: its place among them."""

POSITIONS = Table(
    "alluse_positions",
    _METADATA,
    Column("account", String(32), primary_key=True),
    Column("symbol", String(16), nullable=False),
    Column("right", String(8), nullable=False),
    Column("strike", Float, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price", Float, nullable=False),
    Column("day", Date, nullable=False),
)
"""One row an account that has a lot open."""

# A server that falls silent is given up: connections after 3 s, unanswered packets and statements after 5.
_POSTGRESQL = {"connect_timeout": 3, "tcp_user_timeout": 5_000, "options": "-c statement_timeout=5000"}

# Made once: SQLAlchemy keeps the SQL that it compiles for a statement by the statement.
_INSERT_ORDER = insert(ORDERS)
_INSERT_POSITION = insert(POSITIONS)
_BATCH = select(ORDERS.c.batch).where(ORDERS.c.batch == text(":batch")).limit(1)


class Book:
    """The book of one engine. Safe for many threads, each with a connection of its own.

    url: a SQLAlchemy URL, or "" for a SQLite file in a temporary folder that goes with the book;
    connections: how many at most; patience: seconds to wait for a free one.
    Raises SettingsError where the URL is none of a book's, BookUnavailableError where its database cannot be reached.
    """

    def __init__(self, url: str = "", *, connections: int = 15, patience: float = 2.0) -> None:
        self._folder = None
        if not url:
            self._folder = Scratch("alluse-book-")
            url = f"sqlite:///{self._folder.path / 'book.sqlite'}"
        self.url = database_url(url)
        self.connections = connections
        try:
            self.engine = _engine(self.url, connections, patience)
            _METADATA.create_all(self.engine)
        except SQLAlchemyError as error:
            self._discard()
            raise BookUnavailableError(
                f"cannot open the book at {self.shown_url}: {_reason(error)}; "
                "start the database or give another with --book, such as --book sqlite:///book.sqlite"
            ) from None
        except SettingsError:
            self._discard()
            raise
        except (TypeError, ValueError) as error:  # a driver's, for an option in the URL that it cannot read
            self._discard()
            raise SettingsError(
                f"the book's URL {self.shown_url} has an option that cannot be read: {error}"
            ) from None

    @property
    def shown_url(self) -> str:
        """The URL with its passwords masked."""
        masked = self.url.update_query_dict(dict.fromkeys(_SECRETS & self.url.query.keys(), "***"))
        return masked.render_as_string(hide_password=True).replace(quote_plus("***"), "***")

    @property
    def folder(self) -> Path | None:
        """Where a SQLite book lies; None for a database elsewhere."""
        return Path(self.url.database).absolute().parent if _is_file(self.url) and self.url.database else None

    def write(
        self, batch: str, orders: Sequence[Order], connected: Callable[[], None], halfway: Callable[[], None]
    ) -> None:
        """Write the orders of one workflow, and their effect on the positions, in one transaction.

        batch: their key, 32 characters; connected, halfway: called before the transaction and between
        its writes, where a fault may strike. Writes nothing where the batch stands already. Raises
        BookError or PoolTimeoutError, and whatever these two raise, with nothing written.
        """
        with self.engine.connect() as connection:
            connected()
            self._write(connection, batch, orders, halfway)

    def lots(self, account: str | None = None) -> dict[str, Lot]:
        """The open lot of each account that has one, or of one account."""
        wanted = select(POSITIONS) if account is None else select(POSITIONS).where(POSITIONS.c.account == account)
        with self.engine.connect() as connection:
            return {
                row.account: Lot(row.symbol, Right(row.right), row.strike, -row.quantity, row.price, row.day)
                for row in connection.execute(wanted)
            }

    def ping(self) -> None:
        """Ask the database for a sign of life; raises BookError or PoolTimeoutError where there is none."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def hold(self) -> Connection:
        """Take a connection out of the pool and do nothing with it, until it is closed."""
        return self.engine.connect()

    def audit(self) -> list[str]:
        """What does not add up: half-written batches, and positions that are not the sum of their orders."""
        batches = (
            select(ORDERS.c.batch, func.count().label("rows"), func.max(ORDERS.c.size).label("size"))
            .group_by(ORDERS.c.batch)
            .having(func.count() != func.max(ORDERS.c.size))
        )
        sums = select(ORDERS.c.account, func.sum(ORDERS.c.quantity)).group_by(ORDERS.c.account)
        with self.engine.connect() as connection:
            found = [f"batch {row.batch} has {row.rows} of {row.size} orders" for row in connection.execute(batches)]
            ordered = {row[0]: int(row[1]) for row in connection.execute(sums) if row[1]}
            held = {row.account: row.quantity for row in connection.execute(select(POSITIONS))}
        found += [
            f"{account} holds {held.get(account, 0)} contracts of {ordered.get(account, 0)} ordered"
            for account in sorted(ordered.keys() | held.keys())
            if ordered.get(account, 0) != held.get(account, 0)
        ]
        return found

    def count(self) -> int:
        """Orders in the book."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(ORDERS)).scalar_one()

    def close(self) -> None:
        """Close the connections; a temporary book goes with them."""
        self.engine.dispose()
        self._discard()

    def _write(
        self, connection: Connection, batch: str, orders: Sequence[Order], halfway: Callable[[], None]
    ) -> None:
        with connection.begin():
            if connection.execute(_BATCH, {"batch": batch}).first() is not None:
                return
            connection.execute(_INSERT_ORDER, [_row(batch, at, len(orders), each) for at, each in enumerate(orders)])
            halfway()
            for order in orders:
                _apply(connection, order)

    def _discard(self) -> None:
        if self._folder is not None:
            self._folder.close()


def database_url(given: str) -> URL:
    """The URL of a book, PostgreSQL's by way of psycopg; SettingsError for what is no URL of either."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # the latter for a port; it would quote what may be a password
        raise SettingsError(
            "the book's URL cannot be read; write it as sqlite:///book.sqlite or postgresql://user@host:5432/database"
        ) from None
    backend = url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        server, *rest = re.split("[/?]", given.partition("://")[2])
        if server.count("@") > 1 or "@" in "".join(
            rest
        ):  # part of a password would be taken, and told, for a host's name
            raise SettingsError("the book's URL has an '@' too many; write it as %40 in a password, and a '/' as %2F")
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise SettingsError(f"a book is kept in SQLite or PostgreSQL, not in {backend!r}")
    if not _is_file(url):
        raise SettingsError("a book in memory has one connection alone; write sqlite:///book.sqlite, or none")
    return url


def _engine(url: URL, connections: int, patience: float) -> Engine:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": patience,
    }
    if _is_file(url):
        engine = create_engine(url, connect_args={"timeout": 5.0, "check_same_thread": False}, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        # A connection is tried before it is handed out: one that died is replaced, and no order meets it.
        return create_engine(url, connect_args=_POSTGRESQL, pool_pre_ping=True, **options)
    except (ImportError, NoSuchModuleError):
        raise SettingsError("a book in PostgreSQL needs a driver: pip install 'psycopg[binary]'") from None


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Readers do not wait for the writer, and an order once confirmed outlives a crash of the machine."""
    connection.isolation_level = None  # the driver would begin transactions by its own rules: see _begin_sqlite
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a transaction that read first could be refused it later."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _row(batch: str, number: int, size: int, order: Order) -> dict[str, Any]:
    return {"batch": batch, "number": number, "size": size, "action": order.action.value, **_values(order)}


def _apply(connection: Connection, order: Order) -> None:
    if order.action is Action.OPEN:
        connection.execute(_INSERT_POSITION, _values(order))
    else:
        closed = connection.execute(delete(POSITIONS).where(POSITIONS.c.account == order.account))
        if closed.rowcount != 1:
            raise BrokerError(f"the book has no lot of {order.account} to buy back")


def _values(order: Order) -> dict[str, Any]:
    return {
        "account": order.account,
        "symbol": order.symbol,
        "day": order.day,
        "right": order.right.value,
        "strike": order.strike,
        "quantity": order.quantity,
        "price": order.price,
    }


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")


def _reason(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(cause).split()) or type(cause).__name__

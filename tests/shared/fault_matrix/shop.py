"""A shop behind gunicorn, whose workers have two connections each: `gunicorn --preload shop:app`

A request takes a connection for as long as its query asks: `/?0.01`. One that gets none in time is answered 503.
"""

import time

from sqlalchemy import create_engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

import manometer
from manometer import check, checks, instrument_pool, stage

engine = create_engine(
    "sqlite://",
    poolclass=QueuePool,
    pool_size=2,
    max_overflow=0,
    pool_timeout=0.5,
    connect_args={"check_same_thread": False},
)
instrument_pool(engine, name="shop")
check("database", checks.database(engine))


@stage("order", engine="shop")
def order(seconds):
    """Hold a connection for so long."""
    with engine.connect():
        time.sleep(seconds)


def app(environ, start_response):
    """Answer one request."""
    try:
        order(float(environ["QUERY_STRING"] or 0))
    except PoolTimeoutError:
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return [b""]
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]


manometer.start()

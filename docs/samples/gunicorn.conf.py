"""gunicorn: worker processes that share their figures, and end what they have begun.

MANOMETER_PROCESSES_DIR=/run/shop/metrics gunicorn --config gunicorn.conf.py shop.wsgi:application
"""

bind = "127.0.0.1:8000"
workers = 3
worker_class = "gthread"
threads = 4
graceful_timeout = 30
"""Seconds that a request under way has after SIGTERM; the supervisor has to wait longer than that."""
max_requests = 10_000
"""Recycled workers lose no figure: those of a worker that has ended are added up with the others'."""
max_requests_jitter = 1_000

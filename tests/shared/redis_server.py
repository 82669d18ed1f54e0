"""A Redis of the tests' own."""

import subprocess
from contextlib import contextmanager

from waiting import until


@contextmanager
def redis_server(folder, program):
    """The socket of a Redis server in that folder, once it answers.

    program: the path of redis-server.
    """
    socket = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder) as server:
        try:
            until(socket.exists, lambda: f"Redis does not come up: {server.poll()}")
            yield socket
        finally:
            server.terminate()

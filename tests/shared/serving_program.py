"""A program of others that serves figures, on a port that it is told."""

import subprocess
import urllib.request
from contextlib import contextmanager

from ports import reserved_port
from waiting import DEADLINE, until


@contextmanager
def serving(folder, *command):
    """The program's address, once it shows its figures. What it says is in the folder's `server.log`.

    command: its command line, with `PORT` where the port belongs.
    """
    log = folder / "server.log"
    with reserved_port() as port, log.open("wb") as told:
        words = [word.replace("PORT", str(port)) for word in command]
        server = subprocess.Popen(words, stdout=told, stderr=told, cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: _answers(f"{url}/metrics"), log.read_text)
            yield url
        finally:
            server.terminate()
            server.wait(DEADLINE)


def scraped(url):
    """The text that is answered there."""
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        return answer.read().decode()


def _answers(url):
    try:
        return bool(scraped(url))
    except OSError:
        return False

"""A mail server that keeps what it gets: as much of SMTP as a client needs that logs in and sends a mail."""

import base64
import email
import email.policy
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


class MailCatcher:
    """Listens until it is closed. mails: what came in, parsed, oldest first; logins: user and password of each."""

    def __init__(self):
        self.mails, self.logins = [], []
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.catcher = self
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def address(self):
        host, port = self._server.server_address
        return f"{host}:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _Session(StreamRequestHandler):
    def handle(self):
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            command, _, rest = line.partition(" ")
            match command.upper():
                case "EHLO":
                    self._say("250-here", "250 AUTH PLAIN")
                case "AUTH":
                    _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                    self.server.catcher.logins.append((user, password))
                    self._say("235 welcome")
                case "DATA":
                    self._say("354 go on")
                    self._keep()
                    self._say("250 kept")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 well")

    def _keep(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        self.server.catcher.mails.append(mail)

    def _say(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

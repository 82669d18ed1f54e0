"""Who gets an answer from the exporter's server, before any page is made."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

from manometer.serving.credentials import Credentials, Verdict
from manometer.serving.hosts import Hosts
from manometer.serving.listeners import Listener
from manometer.serving.live_config import InForce, LiveConfig
from manometer.serving.messages import Request, Response, text
from manometer.serving.pages import misdirected, respond
from manometer.serving.site import Site
from manometer.serving.tls import Tls

__all__ = ["Guard"]

_PROBES = ("/livez", "/readyz", "/startupz")
"""Asked for by what can keep no password, such as Kubernetes. Without one, it learns yes or no and nothing else."""

_log = logging.getLogger("manometer")


class Guard:
    """Answers a site's requests as far as its web configuration lets it.

    web_config_file: see web_config; without one, everybody gets an answer who asks by an allowed name.
    Raises ConfigError where the file makes no sense.
    """

    def __init__(self, site: Site, web_config_file: str | None = None) -> None:
        self.site = site
        self._live = None if web_config_file is None else LiveConfig(Path(web_config_file), site.web_config)
        self._credentials = Credentials()

    def shakes(self) -> bool:
        """Whether a new connection begins with a handshake; looks at no file, so that nobody waits for a disk."""
        return self._live is not None and self._live.in_force.tls is not None

    def tls(self) -> Tls | None:
        """What a new connection is encrypted with."""
        return self._in_force.tls

    def answer(self, hosts: Hosts, request: Request) -> Response:
        """The answer to a request at a listener with those names."""
        in_force = self._in_force
        try:
            response = self._answer(in_force, hosts, request)
        except Exception:
            _log.exception("whether %s may be answered could not be told", request.path)
            response = text(HTTPStatus.INTERNAL_SERVER_ERROR, "the exporter failed; its log says why\n")
        return response._replace(headers=(*response.headers, *in_force.said.headers))

    def warn_of(self, listeners: Iterable[Listener]) -> None:
        """Log where other machines reach the exporter, and nothing keeps strangers from the figures."""
        defences = self._in_force.defences
        lacking = [] if "TLS" in defences else ["TLS"]
        if "passwords" not in defences and "client certificates" not in defences:
            lacking.append("passwords")
        for each in listeners:
            if each.is_public and lacking:
                _log.warning(
                    "the exporter listens on %s, where other machines reach it, without %s; "
                    "MANOMETER_WEB_CONFIG_FILE names a file that has both",
                    each.name,
                    " and ".join(lacking),
                )

    @property
    def _in_force(self) -> InForce:
        return InForce() if self._live is None else self._live.current()

    def _answer(self, in_force: InForce, hosts: Hosts, request: Request) -> Response:
        host = request.headers.get("host")
        if not hosts.allow(host):
            self.site.refused("host")
            return misdirected(str(host))
        # A page in a browser here comes from here too, and is nobody who may see reasons.
        shown = request if hosts.is_own(host) else request._replace(peer="")
        is_probe = request.path in _PROBES
        if in_force.bucket is not None and not is_probe and not in_force.bucket.take():
            self.site.refused("rate")
            return text(HTTPStatus.TOO_MANY_REQUESTS, "too many requests; rate_limit says how many there may be\n")
        users, authorization = in_force.said.users, request.headers.get("authorization", "")
        if not users:
            return respond(self.site, shown)
        if is_probe and not authorization:
            return _bare(respond(self.site, shown))
        verdict = self._credentials.verdict(users, authorization, request.peer)
        if verdict is Verdict.RIGHT:
            return respond(self.site, shown)
        if verdict is Verdict.BUSY:
            self.site.lacked("check")
            return text(HTTPStatus.TOO_MANY_REQUESTS, "too many passwords are being checked\n", ("Retry-After", "1"))
        self.site.refused("password")
        challenge = ("WWW-Authenticate", 'Basic realm="metrics", charset="UTF-8"')
        return text(HTTPStatus.UNAUTHORIZED, "a user and a password that are right are needed\n", challenge)


def _bare(response: Response) -> Response:
    """The same without a word of what fails."""
    return text(response.status, "ok\n" if response.status < HTTPStatus.BAD_REQUEST else "not ok\n")

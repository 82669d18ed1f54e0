"""Sessions with credentials, from a provider that OpenTelemetry's variables name."""

import os
from importlib.metadata import entry_points

from requests import Session

from manometer.errors import ConfigError

__all__ = ["provided_session"]

_GROUP = "opentelemetry_otlp_credential_provider"
_FOR_ALL = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER"


def provided_session(kind: str) -> Session | None:
    """The session that the provider makes; None where no variable names one.

    kind: TRACES, METRICS or LOGS, as the variables have it. The one for all of them comes first, as in OpenTelemetry.
    Raises ConfigError where the provider is not installed, or makes something else.
    """
    name = os.environ.get(_FOR_ALL) or os.environ.get(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{kind}_CREDENTIAL_PROVIDER")
    if not name:
        return None
    found = [*entry_points(group=_GROUP, name=name)]
    if not found:
        raise ConfigError(f"no package here has a provider of credentials {name!r} (entry points of {_GROUP})")
    session = found[0].load()()
    if not isinstance(session, Session):
        raise ConfigError(
            f"the provider of credentials {name!r} makes a {type(session).__name__}, no requests.Session"
        )
    return session

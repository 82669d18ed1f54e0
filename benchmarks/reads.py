"""ALL-USE's market data with nothing to do but to be read, for the certificate: started by certify.py."""

import json
from contextlib import closing

from prometheus_client import REGISTRY

from alluse.engine import Engine
from alluse.instrumentation import instrument
from alluse.settings import NO_BOOK, Settings
from manometer import Life, Manometer
from manometer import Settings as Metrics


def main() -> None:
    """Read every bar of the bundled prices, over and over, until SIGTERM."""
    metrics = Metrics(port=0)
    with Life(metrics) as life:
        exporter = life.start(Manometer(metrics))
        engine = life.start(closing(Engine(Settings(book=NO_BOOK))))
        instrument(engine, REGISTRY)
        print(json.dumps({"event": "ALL-USE runs", "metrics": f"{exporter.url}/metrics", "faults": ""}), flush=True)
        life.ready()
        market = engine.market
        (symbol,) = market.symbols
        while not life.wait(0):
            for day in market.days(symbol):
                market.bar(symbol, day)


if __name__ == "__main__":
    main()

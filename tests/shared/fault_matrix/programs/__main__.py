"""A program that has one trouble which ALL-USE has no fault for: `python programs TROUBLE PORT SECONDS`

It is well until it reads `on` from its standard input, and again after `off`. It ends with the input. The trouble
lasts for so many seconds. Its files are in the folder that it is started in.
"""

import sys

import calls
import files
import places
import workload
from switch import Switch

from manometer import Manometer, Settings

TROUBLES = {**calls.TROUBLES, **files.TROUBLES, **places.TROUBLES, **workload.TROUBLES}


def main() -> None:
    """Run until the standard input ends."""
    trouble, port, seconds = sys.argv[1:]
    switch = Switch(float(seconds))
    files.WEB_CONFIG.write_text("http_server_config: {headers: {X-Frame-Options: deny}}\n")
    shared = "processes_dir: group\n" if trouble == "crashing-workers" else ""
    files.SETTINGS.write_text(f"port: {port}\nweb_config_file: {files.WEB_CONFIG}\n{shared}")
    Manometer(load=lambda: Settings.load(files.SETTINGS)).start()
    go_on = TROUBLES[trouble](switch)
    while not switch.ended.is_set():
        go_on()


if __name__ == "__main__":
    main()

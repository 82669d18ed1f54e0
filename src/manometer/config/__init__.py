"""Settings: defaults, then a YAML file, the environment, the command line, and the program's own word.

A program may have its own settings loaded in the same way: `load(kind, "shop")` with a dataclass of its own.
"""

from manometer.config.live import Live, Reload
from manometer.config.loading import Loaded, load
from manometer.config.mistakes import SettingsError
from manometer.config.settings import Settings, SettingValues

__all__ = ["Live", "Loaded", "Reload", "SettingValues", "Settings", "SettingsError", "load"]

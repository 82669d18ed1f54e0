"""The parts put together for a program: `start` and `Manometer`, or an application for a web server of its own."""

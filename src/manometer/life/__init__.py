"""The life of a program that runs until it is told to end: it starts in order, is ready, and stops in reverse."""

from manometer.life.life import Life

__all__ = ["Life"]

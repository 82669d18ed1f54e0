"""Handover: how the last figures leave a program that nobody scrapes, such as a job of cron's."""

from manometer.handover.handover import Handover

__all__ = ["Handover"]

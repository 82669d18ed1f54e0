"""Dashboards, recording rules, alerts and the tables about them, written from the catalogue."""

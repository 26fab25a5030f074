"""The tests: they mirror the folders of what they test."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

"""Devices: where models compute, in which precision, and which process this is."""

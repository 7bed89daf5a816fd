"""Envoy bootstraps, and running a local Envoy with one."""

"""The messages of ``protos/xdsmesh/federation/v1``, compiled: ``make protos``."""

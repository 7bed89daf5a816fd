"""What one proxy must do, as plain values: listeners, routes, clusters, endpoints; no protobuf."""

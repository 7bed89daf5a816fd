"""The HTTP API, in Consul's words, one module per resource."""

"""The HTTP API, in Consul's paths and shapes: requests in, the catalog's answers out."""

"""Between datacenters: one control plane each, which follow one another through the mesh gateways."""

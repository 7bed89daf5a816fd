"""The ADS server: pure sessions, and the gRPC transport around them."""

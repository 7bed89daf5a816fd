"""What stock Envoy does with one request, told from the values that it was configured with."""

"""From ir values to Envoy's messages, and from those to bytes."""

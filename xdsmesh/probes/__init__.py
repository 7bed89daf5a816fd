"""Finding out how services fare: the server's own health checks, and what follows from them."""

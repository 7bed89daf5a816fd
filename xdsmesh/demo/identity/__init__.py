"""The demo of identities and intentions: who may call whom, and who is refused."""

"""What people write: files and bodies in, typed config entries and service definitions out."""

"""One root of the mesh takes over from another: in stages, each proven by what the proxies acknowledge."""

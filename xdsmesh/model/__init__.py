"""The nouns that every layer shares: plain frozen values, standard library only."""

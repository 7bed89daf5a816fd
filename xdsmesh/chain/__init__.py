"""The discovery chain: from a service's name and the config entries to where its requests may go."""

"""Talking to others over the network."""

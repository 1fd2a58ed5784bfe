"""Clients of the public providers: fetch, check, keep a vintage, prove it."""

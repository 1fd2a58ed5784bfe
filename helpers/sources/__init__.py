"""Clients of the public providers: fetch, validate, write."""

"""Shots that are not generated: footage, stills and whatever else gives frames of its own."""

"""A whole regime on one machine: every key in one hand, every process a child, and it says so.

The drill plays the loop with it; `sekisho up` serves a home with it. Nothing here is for production: an authority,
its verifiers and its witnesses belong to different organisations.
"""

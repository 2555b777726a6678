"""Tests mirror src; attacks/ and crashes/ hold one test per attack and per crash point."""

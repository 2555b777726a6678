"""What firms already have: packing lists, asset registers, a fleet agent's inventory. Pure."""

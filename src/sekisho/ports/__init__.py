"""What the house asks of the world: Protocols only, each with its promises in prose."""

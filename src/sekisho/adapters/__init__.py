"""Where the house touches the world: each module implements a port. Import the one you need by its own name."""

"""What runs on a host: the agent that talks to the outside, and the watchdog that does not."""

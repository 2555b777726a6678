"""Who answers for a chip, where it is and in what state, at every (at, as_of): decided event by event. Pure."""

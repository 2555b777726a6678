"""The use cases: the only place where the rules, licences, orders and the log meet. It holds no fold of its own."""

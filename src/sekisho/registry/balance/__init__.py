"""Books that balance: areas, change codes with their signs, reports, differences and their sigma. Pure."""

"""Chips from wafer to scrap: custody events (EPCIS 2.0), balances, production. Pure folds."""

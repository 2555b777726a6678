"""What a fab made: wafers, yield, HBM, scrap, the EUV bound, the quota ledger. Pure."""

"""EPCIS 2.0 documents: read strictly, checked beyond their schema, hashed by CBV 2.0, written back."""

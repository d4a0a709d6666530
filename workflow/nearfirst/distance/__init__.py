"""How far instances are from each other."""

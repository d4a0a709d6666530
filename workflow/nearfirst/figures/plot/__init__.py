"""How figures are drawn and described."""

"""How the lines of the access log look, in its formats."""

"""How spans leave the program over OTLP."""

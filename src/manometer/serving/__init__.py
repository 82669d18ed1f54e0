"""How figures leave the program over HTTP: the pages, and the server of its own that answers with them."""

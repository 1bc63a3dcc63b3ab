"""What comes to the site from outside: weather, sun, grid intensity, price; and its battery."""

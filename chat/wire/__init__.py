"""What a page and the server say to each other, and the bytes it is said in."""

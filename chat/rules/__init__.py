"""What is allowed, and how often: pure, without sockets or storage; the clock is passed in."""

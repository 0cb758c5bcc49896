"""`marketmaker report`: what a run did, as a summary in the terminal, one HTML page that needs nothing else, and pictures."""

"""What daemons say to one another: REST, with the tokens that they gave each other."""

"""The configuration: typed models, what is wrong said in one message, and what follows from it."""

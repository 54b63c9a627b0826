"""A stand-in for Colab: a real kernel with Colab's versions behind a front end that has Colab's limits."""

"""A world on a virtual clock that the pool's rules are driven through: scenarios, a model of the service, figures."""

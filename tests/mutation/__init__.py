"""Mutation testing: small mistakes planted one by one into the pool's rules, and the tests that should notice them.

A runner of our own, because none of the tools fits these rules: mutmut 3.8 plants nothing into properties, module
constants and the fields of dataclasses, changes the texts of messages, which no rule can turn off, and calls pytest
anew for each mutant; cosmic-ray 8.7 starts a process for each and writes the mistakes into the working tree. Here a
mutant costs a fork of a session that has collected the tests, and runs only those that touch its line.
``python -m tests.mutation`` is the way in; ``operators`` says what is planted, ``mutants`` where, ``runner`` how.
"""

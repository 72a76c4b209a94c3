# The mains. LIBS of a program: rooms from the top of the house to the ground, then libraries.

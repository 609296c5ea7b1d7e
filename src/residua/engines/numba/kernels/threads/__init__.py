"""How threads share kernels: the compiled loops that hand out tasks and take their parts."""

"""From text to terms and tokens, with the kernels that do it fast, and to the states of a language model."""

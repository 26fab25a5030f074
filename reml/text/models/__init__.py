"""The one place where pretrained models are loaded: what a folder says is believed, what it lacks is refused.

declared            What a folder of sentence-transformers says of its vectors: pooling, projections, prompts, length
encoders            Loading an encoder of texts: BERT and its like, the encoder of a T5, either encoder of a DPR
gguf                A language model from a GGUF file, converted once to safetensors in the cache
kinds               The kinds of models that are loaded, and which weights each may have or lack
loading             Loading a model with its tokeniser, whole or refused
lora                Low-rank adapters: of a large model a few small matrices are trained, saved and resumed
model_folder        Where a model is, and its files: pointers, cut files, adapters and foreign code are refused
record              What a model that was saved here says of itself, and that its files are as they were written
token_limit         How many tokens a model takes, and settings that ask for more
transformers_types  The types of transformers that annotations name, without transformers
weight_report       What loading left to chance, or left out, in one sentence
without_bars        The bars of transformers, kept off
"""

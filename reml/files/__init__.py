"""Files that are whole or not there: atomic writing, digests, lines, archives, downloads, records.

atomic          Files that are whole or not there: atomic writing, manifests, digests and locks
environment     What settings take from environment variables: it is used, and what is written names the variable
hits            Hits on disk: arrays that are read where they lie
legs            What work costs that is done in several legs: killed or stopped, and gone on with later
lines           The one door by which files that users give are read: text in UTF-8, plain or gzip
links           Folders that hold the files of another one, without their bytes being written a second time
model_location  Where the weights of a model are: on the hub, in a folder, or inside an installed Python package
origin          What a folder was built from: it is served only to what it was built for
record_log      A log of JSON records whose last good record is known
records         KILT's records as lines of JSON: read them as `Example`, write them back without loss
shared_folder   Folders that all which is kept in one home shares, whatever it was made for
trajectories    Trajectories on disk: a stream of Arrow record batches, one for each batch of examples
typed_json      JSON decoded straight into typed structs of msgspec, whose complaints become sentences
weight_digest   A digest of a model: what it computes, and every byte of its weights
weights         The weights of a module as one safetensors file
"""

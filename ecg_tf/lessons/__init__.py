"""What single lessons need; reports and runs use nothing of it.

| file | content |
| --- | --- |
| `image_folders.py` | 02: folders of pictures, and their pixels permuted |
| `image_gan.py` | 02: one GAN for any set of images, at equal budget |
| `small_runs.py` | 03, 04: small trainings that differ in one setting |
| `rings.py` | 06: data whose modes can be counted |
| `concerns.py` | 06: mode collapse, vanishing gradients, remedies |
| `beat_gan.py` | 07: a GAN that generates beats of a class |
| `population.py` | 11: the same GAN on more and more persons |
| `population_words.py` | 11: what its table says |
"""

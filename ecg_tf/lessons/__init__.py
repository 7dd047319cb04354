"""What single lessons experiment with; no way from records to a report leads through here.

| file | what lives there |
| --- | --- |
| `image_folders.py` | 02: folders of pictures, and their pixels permuted |
| `image_gan.py` | 02: one GAN for any set of images, at equal budget |
| `rings.py` | 06: data whose modes can be counted |
| `concerns.py` | 06: what goes wrong in training, and what is said to help |
| `beat_gan.py` | 07: a GAN that draws beats of a class |
"""

"""Files that broke image libraries, or were made to: every one is synthetic and made at test time.

Each maker gives the bytes of one file. Names tell what is odd; a file in `TAKEN` of its module must be taken in.
"""

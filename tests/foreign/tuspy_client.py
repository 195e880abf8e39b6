"""Uploads a file with tuspy, in two lives: the second one knows only the upload's address."""

import sys

from tusclient.client import TusClient

address, token, path = sys.argv[1:]


def client():
    return TusClient(address, headers={"Authorization": "Bearer " + token})


first = client().uploader(path, chunk_size=1 << 20, metadata={"filename": "执照.pdf"})
first.upload(stop_at=5 << 20)
assert first.offset == 5 << 20, first.offset
second = client().uploader(path, chunk_size=3 << 20, url=first.url)
assert second.offset == first.offset, "the node says where the upload stands"
second.upload()
print(second.url)

"""Tells schemathesis how a piece of an upload is drawn and sent: the media type of tus is none it knows."""

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.media_type("application/offset+octet-stream", st.binary(min_size=1, max_size=64))

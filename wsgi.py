"""The WSGI application of a service: `granian --interface wsgi wsgi:app`."""

from server.app import create_app
from server.settings import Settings

app = create_app(Settings.from_env())

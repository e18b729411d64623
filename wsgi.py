"""The WSGI application: `granian --interface wsgi wsgi:app`.

With a service's settings in the environment it is that service; without them it is the demo that was set up in
DATA_DIR (`make run`, `make serve`). A service never touches the demo's code.
"""

import os

from server.app import create_app
from server.settings import Settings

if all(os.environ.get(name) for name in ("DATABASE_URL", "KEYRING", "SECRET_KEY", "STORAGE_URL")):
    app = create_app(Settings.from_env())
else:
    from demo.application import demo_app

    app = demo_app()

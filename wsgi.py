"""The WSGI application: `granian --interface wsgi wsgi:app`.

With a service's settings in the environment it is that service; without them it is the demo that was set up in
DATA_DIR (`make run`, `make serve`). A service never touches the demo's code. `flask doctor` gets an application of its
own, because it is asked when the service cannot start.
"""

import gc
import os
import sys

from server.app import create_app
from server.doctor.commands import bare_app, is_asked
from server.settings import Settings

if is_asked(sys.argv):
    app = bare_app()
elif all(os.environ.get(name) for name in ("DATABASE_URL", "KEYRING", "SECRET_KEY", "STORAGE_URL")):
    app = create_app(Settings.from_env())
else:
    from demo.application import demo_app

    app = demo_app()

# What stands now stands until the end: the collector need not walk through it again while requests are answered.
gc.collect()
gc.freeze()

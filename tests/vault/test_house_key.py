"""The key of the house is made once, however many processes start at the same moment."""

import threading

from sqlalchemy import func, select

from server.db import unit_of_work
from server.http.parts import Parts
from server.vault.keys import HOUSE_KEY, KeyStore
from server.vault.models import StoredKey


def test_processes_that_start_together_share_one_house_key(house: Parts) -> None:
    stores = [KeyStore(house.keys.keyring, house.sessions, house.tools) for _ in range(6)]
    start = threading.Barrier(len(stores))
    sealed: list[str] = []
    failures: list[BaseException] = []

    def seal(store: KeyStore) -> None:
        start.wait()
        try:
            sealed.append(store.house_key().seal("text", table="t", column="c", row="r"))
        except BaseException as error:  # noqa: BLE001  (told by the test)
            failures.append(error)

    threads = [threading.Thread(target=seal, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    key = house.keys.house_key()
    assert {key.open(text, table="t", column="c", row="r") for text in sealed} == {"text"}
    with unit_of_work(house.sessions) as session:
        count = session.scalar(select(func.count()).select_from(StoredKey).where(StoredKey.id == HOUSE_KEY))
    assert count == 1

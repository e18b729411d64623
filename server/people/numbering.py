"""Gives out file numbers: each township, category and year counts on its own, and no number is given twice."""

from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from server.ledger.work import Work
from server.people.file_numbers import CODES, file_number
from server.people.models import FileNumber
from server.people.terms import Category

TOWNSHIP_DIGITS = 9


def take_numbers(work: Work, village_code: str, category: Category, count: int = 1) -> list[str]:
    """Take the next `count` file numbers in one step; two takers never get the same."""
    township = village_code[:TOWNSHIP_DIGITS]
    insert = insert_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_sqlite
    fresh = insert(FileNumber).values(
        township_code=township, category_code=CODES[category], year=work.today.year, last=count
    )
    last = work.session.execute(
        fresh.on_conflict_do_update(
            index_elements=[FileNumber.township_code, FileNumber.category_code, FileNumber.year],
            set_={"last": FileNumber.last + count},
        ).returning(FileNumber.last)
    ).scalar_one()
    return [
        str(file_number(township, category, work.today.year, one))
        for one in range(last - count + 1, last + 1)
    ]

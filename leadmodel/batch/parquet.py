"""Parquet as it is written fastest: what has few values goes from dictionary to dictionary."""

import base64
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

__all__ = ["ParquetWriter"]


class ParquetWriter:
    """Writes tables into a Parquet file, as the writers of pyarrow do.

    Readers find the types of `schema`, even where the tables have a dictionary in a text's place:
    Parquet stores both alike, and turning the one into the other and back costs more than to write.

    Parameters
    ----------
    path : str or Path
        The file to write.
    schema : pyarrow.Schema
        Of the tables to come, but for their dictionaries.
    """

    def __init__(self, path: str | Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        self._writer: pa.parquet.ParquetWriter | None = None

    def write_table(self, table: pa.Table) -> None:
        """Append the rows of `table`."""
        if self._writer is None:
            self._writer = self._open(table)
        self._writer.write_table(table)

    def _open(self, table: pa.Table) -> pa.parquet.ParquetWriter:
        packed = {field.name for field in table.schema if pa.types.is_dictionary(field.type)}
        columns = dict(zip(table.column_names, table.columns, strict=True))
        writer = pa.parquet.ParquetWriter(
            self._path,
            table.schema,
            use_dictionary=[name for name in columns if name in packed or _repeats(columns[name])],
            # The least and the greatest of a few texts, which stand in every part of a file, tell nothing.
            write_statistics=[name for name in columns if name not in packed],
            store_schema=False,
        )
        written = base64.b64encode(self._schema.serialize()).decode()
        writer.add_key_value_metadata({"ARROW:schema": written})
        return writer

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a dictionary of a column's values would be worth its making."""
    try:
        return pc.count_distinct(column).as_py() < len(column) / 2
    except pa.ArrowException:  # of lists and structures
        return True

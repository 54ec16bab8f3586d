"""``Compare``: a table of measurements, a row for each statement and a column for each description."""

from minidl.utils.benchmark.measurement import Measurement, select_unit, trimmed, unit_name

__all__ = ["Compare"]


class Compare:
    """Measurements as tables, one a label: rows by ``sub_label`` and ``env``, columns by ``description``, in groups by
    threads. Source: ``torch.utils.benchmark.Compare``.

    >>> import minidl
    >>> found = [minidl.utils.benchmark.Timer("1 + 1", description=text).timeit(5) for text in ("a", "b")]
    >>> print(minidl.utils.benchmark.Compare(found))  # doctest: +SKIP
    [---- 1 + 1 ----]
    """

    def __init__(self, results):
        self._results = []
        self._trim, self._highlight = False, False
        self.extend_results(results)

    def extend_results(self, results):
        """Adds measurements. Raises ``ValueError`` for what is none."""
        for result in results:
            if not isinstance(result, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(result)} instead.")
        self._results.extend(results)

    def trim_significant_figures(self):
        """Shows no more figures than the measurements support."""
        self._trim = True

    def colorize(self, rowwise=False):
        """Marks the fastest of each column, or of each row, with an asterisk: a table has no colours here."""
        self._highlight = "row" if rowwise else "column"

    def highlight_warnings(self):
        """Accepted: a measurement that is spread far says so itself."""

    def __str__(self):
        merged = Measurement.merge(self._results)
        labels = list(dict.fromkeys(each.label for each in merged))
        return "\n".join(self._table(label, [m for m in merged if m.label == label]) for label in labels)

    def print(self):
        """Prints the tables."""
        print(str(self))

    def _table(self, label, results):
        columns = list(dict.fromkeys(each.description or "" for each in results))
        unit, scale = select_unit(min(each.median for each in results))
        rows, groups = {}, list(dict.fromkeys(each.num_threads for each in results))
        for each in results:
            name = each.as_row_name if each.env is None else f"({each.env}) {each.as_row_name}"
            rows.setdefault((each.num_threads, name), {})[each.description or ""] = each
        best = self._best(rows, columns)
        cells = {
            key: [self._cell(row.get(column), scale, best) for column in columns] for key, row in rows.items()
        }
        names = max(len(name) + 6 for _, name in rows)
        widths = [
            max(len(column), *(len(row[i]) for row in cells.values())) for i, column in enumerate(columns)
        ]
        head = "  |  ".join([" " * names, *(c.center(w) for c, w in zip(columns, widths, strict=True))])
        title = f" {label or results[0].title} "
        lines = [f"[{title.center(max(len(head), len(title)) - 2, '-')}]", head]
        for threads in groups:
            lines.append(f"{threads} threads: ".ljust(len(head), "-"))
            for (count, name), row in cells.items():
                if count == threads:
                    shown = (c.rjust(w) for c, w in zip(row, widths, strict=True))
                    lines.append("  |  ".join([f"      {name}".ljust(names), *shown]))
        return "\n".join([*lines, "", f"Times are in {unit_name(unit)} ({unit}).", ""])

    def _best(self, rows, columns):
        """The fastest measurement of each column or row, where that is to be seen."""
        if not self._highlight:
            return ()
        lines = (
            rows.values()
            if self._highlight == "row"
            else ({k: r.get(c) for k, r in rows.items()} for c in columns)
        )
        found = [[each for each in line.values() if each is not None] for line in lines]
        return [min(line, key=lambda each: each.median) for line in found if len(line) > 1]

    def _cell(self, found, scale, best):
        if found is None:
            return ""
        value = trimmed(found.median, found.significant_figures) if self._trim else found.median
        digits = 1 if not self._trim or value / scale < 10 else 0
        return f"{value / scale:.{digits}f}" + "*" * any(found is b for b in best)

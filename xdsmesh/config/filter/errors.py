"""What is wrong with a filter."""


class FilterSyntaxError(ValueError):
    """A text that is no filter. ``column`` counts characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.message = message
        self.column = column


class FilterTypeError(ValueError):
    """A filter that does not fit the rows it is asked about: what it selects, or how it compares that."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems

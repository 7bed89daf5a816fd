"""Why a datacenter can't join, and what to do."""

from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError


def refused(what: str, remedy: str) -> RefusedError:
    """A refusal that is about datacenters that come together."""
    return RefusedError(Problem(Place(), what, remedy, code=Code.JOINING))

# The command xdsmesh, as a container: `docker build -t xdsmesh .`, and then
#
#   docker run --read-only --tmpfs /tmp -v xdsmesh:/data xdsmesh server --data-dir /data
#
# All that is written is in /data, and in /trust the roots, for proxies, with --roots-file /trust/roots.pem.
# make-tokens is for a container beside it, and /join for what datacenters hand over. compose/ has a whole mesh of this.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS installed
WORKDIR /src
RUN python -m venv --without-pip /opt/xdsmesh
# What we depend on changes seldom, and is a layer of its own. What Litestar makes examples with, which we never
# ask for, is a tenth of it, and goes.
COPY pyproject.toml LICENSE ./
COPY xdsmesh/__init__.py xdsmesh/__init__.py
RUN touch README.md \
 && pip --python /opt/xdsmesh/bin/python install --no-cache-dir --no-compile . \
 && pip --python /opt/xdsmesh/bin/python uninstall --yes xdsmesh polyfactory faker
COPY README.md ./
COPY xdsmesh xdsmesh
# The stubs of Envoy's API are thousands of modules: only what a server imports is compiled.
RUN pip --python /opt/xdsmesh/bin/python install --no-cache-dir --no-compile --no-deps . \
 && /opt/xdsmesh/bin/python -c 'import xdsmesh.serve, xdsmesh.cli, xdsmesh.demo.app' \
 && /opt/xdsmesh/bin/xdsmesh version

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 1000 xdsmesh && useradd --uid 1000 --gid 1000 --no-create-home xdsmesh \
 && install -d -o xdsmesh -g xdsmesh /data /trust /join
COPY compose/make-tokens /usr/local/bin/
COPY --from=installed /opt/xdsmesh /opt/xdsmesh
ENV PATH=/opt/xdsmesh/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER xdsmesh
# /v1/status/leader answers on loopback without a token, once the server serves.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
 CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8500/v1/status/leader')"]
ENTRYPOINT ["xdsmesh"]
CMD ["--help"]

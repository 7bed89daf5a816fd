# A machine with systemd, xdsmesh in /opt/xdsmesh and Envoy, to install units on.
ARG ENVOY_IMAGE
FROM ${ENVOY_IMAGE} AS envoy

FROM xdsmesh:local
USER root
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends curl systemd >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=envoy /usr/local/bin/envoy /usr/local/bin/
WORKDIR /root
STOPSIGNAL SIGRTMIN+3
HEALTHCHECK NONE
ENTRYPOINT ["/lib/systemd/systemd"]
CMD []

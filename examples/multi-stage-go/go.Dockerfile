# Stands in for golang:1.22-alpine where Docker Hub is out of reach: Go from the distribution's own packages.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends golang-go && rm -rf /var/lib/apt/lists/*
ENV GOTOOLCHAIN=local GOFLAGS=-buildvcs=false

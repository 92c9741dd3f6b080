# The build runs on the builder's own platform and compiles for the target's, so
# an image for arm64 needs no emulation.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY main.go ./
COPY internal ./internal
# The same source gives the same binary: no paths, no build id, no time.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" \
    -o /rootfs/usr/local/bin/port-bitbucket-exporter . \
 && mkdir -p /rootfs/etc/ssl/certs /rootfs/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ \
 && chmod 1777 /rootfs/tmp

FROM scratch
COPY --from=build /rootfs/ /
# Collecting garbage more often takes a little more time, so that less memory does:
# a pipe has 1 GB, for everything.
ENV GOGC=50
# No USER: the folders and files that GitHub and Bitbucket mount belong to the
# runner's user, and another uid could not write outputs, summary and report.
# Source: GitHub's documentation, "Dockerfile support for GitHub Actions", USER, read 2026-11.
ENTRYPOINT ["/usr/local/bin/port-bitbucket-exporter"]

# GitHub builds this image where action.yml names it, before there is a release. A release puts
# the same binary, of the same source and the same Go, into the same image: .ci/release shows it.
FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY main.go ./
COPY internal ./internal
# What --version tells: the tag, the commit, and its date in RFC 3339. Without them it tells that
# nobody named this build.
ARG TAG
ARG COMMIT
ARG DATE
# The same source gives the same binary: no paths, no build id, no checkout.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false \
    -ldflags="-s -w -buildid= -X port-bitbucket-exporter/internal/version.tag=$TAG -X port-bitbucket-exporter/internal/version.commit=$COMMIT -X port-bitbucket-exporter/internal/version.date=$DATE" \
    -o /rootfs/usr/local/bin/port-bitbucket-exporter . \
 && mkdir /rootfs/tmp && chmod 1777 /rootfs/tmp
COPY LICENSE NOTICE /rootfs/

# The binary brings the certificates that it trusts.
FROM scratch
COPY --from=build /rootfs/ /
# Collecting garbage more often takes a little more time, so that less memory does:
# a pipe has 1 GB, for everything.
ENV GOGC=50
# No USER: the folders and files that GitHub and Bitbucket mount belong to the
# runner's user, and another uid could not write outputs, summary and report.
# Source: GitHub's documentation, "Dockerfile support for GitHub Actions", USER, read 2026-11.
ENTRYPOINT ["/usr/local/bin/port-bitbucket-exporter"]

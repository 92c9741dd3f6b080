#!/bin/sh
# Resync on a machine of your own, with a memory. In the crontab:
#
#	17 * * * * /srv/port/cron.sh
#
# Beside it lie mapping.yml and port.env, which its owner alone can read, with the secrets in
# lines NAME=value: PORT_CLIENT_ID, PORT_CLIENT_SECRET and BITBUCKET_WORKSPACE_TOKEN.
# One run at a time: with one INTEGRATION_IDENTIFIER two could delete each other's entities.
set -eu
cd "$(dirname "$0")"
exec flock --nonblock cron.lock docker run --rm --volume "$PWD:/work" --workdir /work \
  --env-file port.env \
  --env BITBUCKET_WORKSPACE=acme --env INTEGRATION_IDENTIFIER=bitbucket-acme \
  --env MAPPING_FILE=mapping.yml --env PUBLISH_MAPPING=always \
  --env STATE_DIR=state --env MAX_REQUESTS=auto --env TIME_LIMIT=50m \
  ghcr.io/your-account/port-bitbucket-exporter:0.1.0

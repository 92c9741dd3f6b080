#!/usr/bin/env bash
# fish 3.6.0: __fish_use_subcommand, which completions ask whether a subcommand is still to come,
# takes the value of an option for one, although the option is declared to have a value (-x). So
# behind "tool --name 3" no subcommand is offered any more, and behind "tool --name=3" all are.
set -euo pipefail
command -v fish >/dev/null || apt-get install -y fish >/dev/null
fish --version | tee /dev/stderr | grep -qx "fish, version 3.6.0"
complete='complete -c tool -f; complete -c tool -l name -x; complete -c tool -n __fish_use_subcommand -a "plan sync"'
apart="$(fish --no-config -c "$complete; complete --do-complete 'tool --name 3 '" | tr '\n' ' ')"
joined="$(fish --no-config -c "$complete; complete --do-complete 'tool --name=3 '" | tr '\n' ' ')"
printf 'apart: %s\njoined: %s\n' "$apart" "$joined"
[[ "$apart" == "" && "$joined" == "plan sync " ]]

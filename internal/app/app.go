// Package app is the program: it reads the inputs, binds the mapping, wires the
// clients, runs, and publishes what the run did. Everything outside enters here,
// so that a test can be the world.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// commands are what the program can be asked for, in the order of the help. The first one
// is what it does when nothing is asked for.
var commands = []command{
	syncCommand,
	planCommand,
	validateCommand,
	completionCommand,
	helpCommand,
	versionCommand,
}

// Main runs the program once, and returns its exit status: 0 done, 1 failed, 2
// arguments, inputs or mapping wrong, 3 partial as the input fail_on rules, 10 for a
// plan with changes as the input detailed_exit rules.
func Main(ctx context.Context, p Process) (exitStatus int) {
	args := parseArguments(p.Args, commands)
	if c := args.text; c != nil && (len(args.problems) == 0 || c.always) {
		return show(p.Stdout, c.text(commands, args.chosen))
	}
	s := newSession(p, commands[0])
	defer func() {
		if v := recover(); v != nil {
			s.stack(debug.Stack())
			s.past.close(s)
			exitStatus = publish(ctx, s, fmt.Errorf("internal error: %v", v))
		}
	}()
	err := readInputs(ctx, s, args)
	if err == nil {
		if !s.command.checkOnly {
			s.hush = narrate(s)
		}
		err = s.command.run(ctx, s)
	}
	defer s.clients.close()
	var usage *usageError
	if err != nil && ctx.Err() != nil && !errors.As(err, &usage) {
		err = errStopped
	}
	s.past.close(s)
	return publish(ctx, s, err)
}

// show prints what was asked for, and nothing else.
func show(w io.Writer, text string) (exitStatus int) {
	if _, err := io.WriteString(w, text); err != nil {
		return exitFailed
	}
	return 0
}

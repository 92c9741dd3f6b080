package platform

// plain is everywhere else: a container, a shell, another CI system. Outputs go
// nowhere, since the log shows them.
type plain struct{ printer }

func (*plain) Name() string { return "plain" }

func (*plain) Publish([]Output) error { return nil }

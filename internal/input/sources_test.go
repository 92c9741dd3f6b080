package input

import "testing"

// Each source that a value can have, by the names that Parse finds there.
func TestSummary(t *testing.T) {
	t.Parallel()
	env := world(map[string]string{
		"PORT_CLIENT_ID": "id", "PORT_CLIENT_SECRET_FILE": "secret", "INPUT_BITBUCKET_WORKSPACE": "acme",
		"BITBUCKET_WORKSPACE_TOKEN_COUNT": "1", "BITBUCKET_WORKSPACE_TOKEN_0": "token",
		"OCEAN__INTEGRATION__IDENTIFIER": "mine", "INPUT_MAX-DELETIONS": "5",
	}, map[string]string{"secret": "s3cret"})
	env.Arguments = map[string]Argument{"mapping_file": {"m.yml", "the argument after plan"}, "deletion": {"never", "--deletion"}, "mode": {"plan", "the command plan"}}
	_, notes, err := Parse(env)
	if err != nil {
		t.Fatal(err)
	}
	const want = "3 by arguments (mode, mapping_file, deletion); 2 from INPUT_ variables (bitbucket_workspace, max_deletions); " +
		"1 from files (port_client_secret from PORT_CLIENT_SECRET_FILE); 2 from the environment (port_client_id, bitbucket_workspace_token); " +
		"1 from names of Port's own integration (integration_identifier from OCEAN__INTEGRATION__IDENTIFIER)"
	if got := notes.Summary(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (Notes{Sources: []Source{{ID: "mode", From: "default"}}}).Summary(); got != "none given: all have their defaults" {
		t.Errorf("without a value: got %q", got)
	}
}

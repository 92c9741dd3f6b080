package app

import (
	"encoding/json"
	"time"

	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/state"
	"port-bitbucket-exporter/internal/transport"
)

// spendingPause is how often a run keeps what its credentials have spent, so that little of it
// is lost with a run that is killed.
const spendingPause = time.Minute

// spendingKey is under what a run keeps, in the class state.Run and as JSON, what a credential
// has spent. An access token has an allowance of its own; that of an OAuth consumer is shared by
// all of its access tokens, and that of a user by all of their API tokens and passwords.
//
// Source: https://support.atlassian.com/bitbucket-cloud/kb/bitbucket-cloud-rate-limit-troubleshooting/, read 2026-11.
func spendingKey(host string, c input.Credential) []string {
	if c.Kind == input.OAuthConsumer {
		return []string{"spending", host, "consumer", c.Username}
	}
	if c.Username != "" {
		return []string{"spending", host, "user", c.Username}
	}
	return []string{"spending", host, "token", c.Secret.Reveal()}
}

// spent returns what the credentials of the inputs have spent in earlier runs, in order.
func (p *past) spent(c input.Config) [][]transport.Spending {
	all := make([][]transport.Spending, len(c.Credentials))
	for i, credential := range c.Credentials {
		text, ok := p.store.Get(state.Run, spendingKey(c.BitbucketHostURL, credential)...)
		if !ok || json.Unmarshal(text, &all[i]) != nil {
			all[i] = nil
		}
	}
	return all
}

// spend keeps what the credentials have spent, this run included.
func (p *past) spend(s *session) {
	if p.store == nil || s.clients == nil {
		return
	}
	for i, spent := range s.clients.bitbucket.Spending() {
		if text, err := json.Marshal(spent); err == nil { // numbers and names: it always is
			p.store.Put(text, state.Run, spendingKey(s.config.BitbucketHostURL, s.config.Credentials[i])...)
		}
	}
}

// follow keeps what the credentials spend while a run goes on, until stop is called.
func (p *past) follow(s *session) (stop func()) {
	if p.store == nil {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(spendingPause)
		defer ticks.Stop()
		kept := 0
		for {
			select {
			case <-end:
				return
			case <-ticks.C:
			}
			if n := s.clients.bitbucket.Requests(); n != kept {
				kept = n
				p.spend(s)
				p.store.Flush()
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}
